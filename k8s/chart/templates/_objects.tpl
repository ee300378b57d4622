{{/*
The chart reads the manifests of kustomize, through links, and changes what the values say. So there is one source of
each object; tests/k8s/test_chart.py compares what both render.
*/}}

{{/* The documents of a file as YAML, one map `items`. Arguments: root, path. */}}
{{- define "lectern.documents" -}}
{{- $text := .root.Files.Get .path | required (printf "the chart has no file %s" .path) }}
{{- $text = $text | replace "namespace=\"lectern\"" (printf "namespace=%q" .root.Release.Namespace) }}
{{- $text = $text | replace "https://git.example.com/lectern" .root.Values.prometheus.runbook }}
items:
{{- range splitList "\n---\n" $text }}
  - {{- . | fromYaml | toYaml | nindent 4 }}
{{- end }}
{{- end }}

{{/* Prints an object of a component. Arguments: root, object. */}}
{{- define "lectern.object" -}}
{{- $_ := set .object.metadata "namespace" .root.Release.Namespace }}
{{- with .object.metadata.labels }}
{{- if hasKey . "release" }}{{- $_ := set . "release" $.root.Values.prometheus.release }}{{ end }}
{{- end }}
---
{{ toYaml .object }}
{{ end }}

{{/* Prints all objects of a component's file. Arguments: root, path. */}}
{{- define "lectern.file" -}}
{{- $root := .root }}
{{- range (include "lectern.documents" . | fromYaml).items }}
{{- include "lectern.object" (dict "root" $root "object" .) }}
{{- end }}
{{- end }}

{{/* The labels of all pods and objects of the base. */}}
{{- define "lectern.common" -}}
app.kubernetes.io/part-of: lectern
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* The labels that tell an application's pods. Arguments: root, app. */}}
{{- define "lectern.selector" -}}
app.kubernetes.io/name: {{ .app }}
app.kubernetes.io/component: {{ .app }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end }}

{{/* Prints an object of an application in the base. Arguments: root, app, object. */}}
{{- define "lectern.labelled" -}}
{{- $selector := include "lectern.selector" . | fromYaml }}
{{- $labels := merge (dict) $selector (include "lectern.common" .root | fromYaml) }}
{{- $_ := set .object.metadata "labels" $labels }}
{{- if eq .object.kind "Service" }}
{{- $_ := set .object.spec "selector" $selector }}
{{- else if eq .object.kind "PodDisruptionBudget" }}
{{- $_ := set .object.spec "selector" (dict "matchLabels" $selector) }}
{{- else if eq .object.kind "Deployment" }}
{{- $_ := set .object.spec "selector" (dict "matchLabels" $selector) }}
{{- $_ := set .object.spec.template "metadata" (dict "labels" $labels) }}
{{- range .object.spec.template.spec.topologySpreadConstraints }}
{{- $_ := set . "labelSelector" (dict "matchLabels" $selector) }}
{{- end }}
{{- end }}
{{- include "lectern.object" . }}
{{- end }}

{{/* The image of a container. Arguments: root, and `image` of the values. */}}
{{- define "lectern.image" -}}
{{ .image.repository }}:{{ .image.tag | default .root.Chart.AppVersion }}
{{- end }}

{{/* The only object of a file of the base, as YAML. Arguments: root, path. */}}
{{- define "lectern.read" -}}
{{- toYaml (first (include "lectern.documents" . | fromYaml).items) }}
{{- end }}

{{/* Makes a pod use the volume of models, and wait until it is filled. Argument: the pod's spec. */}}
{{- define "lectern.useVolume" -}}
{{- $init := first .initContainers }}
{{- $_ := unset $init "args" }}
{{- $_ := set $init "command" (list "sh" "-c" "until [ -e /models/models.config ]; do sleep 2; done") }}
{{- range .volumes }}
{{- if eq .name "models" }}
{{- $_ := unset . "emptyDir" }}
{{- $_ := set . "persistentVolumeClaim" (dict "claimName" "models" "readOnly" true) }}
{{- end }}
{{- end }}
{{- end }}

{{/* Prints the ConfigMap of a dashboard, which Grafana's sidecar finds. Arguments: root, name, path. */}}
{{- define "lectern.dashboard" -}}
{{- $metadata := dict "name" .name "labels" (dict "grafana_dashboard" "1") }}
{{- $data := dict (base .path) (.root.Files.Get .path) }}
{{- $object := dict "apiVersion" "v1" "kind" "ConfigMap" "metadata" $metadata "data" $data }}
{{- include "lectern.object" (dict "root" .root "object" $object) }}
{{- end }}
