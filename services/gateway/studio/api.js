// The gateway's public API: a request as data, sent with fetch, and recorded with its duration.

const KEY = "lectern.api-key";
const REMEMBERED = 500;

/** The calls since the page was opened: {model, verb, ms, status}, newest last. */
export const calls = [];

/**
 * A call of a model.
 * @typedef {Object} Request
 * @property {string} model
 * @property {string} verb such as "predict"
 * @property {Object} [query] parameters of the address; those without a value are left out
 * @property {Picture} [picture] the body, as an image file
 * @property {Object} [json] the body, as JSON
 * @property {Blob} [code] the body, as a container of codes
 * @property {string} [accept] the media type to answer in
 */

/** An error that the API answered, or that it could not be reached. */
export class Problem extends Error {
  /**
   * @param {number} status of HTTP; 0 if nothing answered
   * @param {string} title
   * @param {string} detail what was received, what was expected, how to fix it
   */
  constructor(status, title, detail) {
    super(detail);
    this.status = status;
    this.title = title;
  }
}

/** The address of a call, absolute. */
export function urlOf({ model, verb, query = {} }) {
  const url = new URL(`v1/models/${encodeURIComponent(model)}:${verb}`, document.baseURI);
  url.hash = "";
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null) url.searchParams.set(name, value);
  }
  return url.href;
}

/** The headers of a call, as curl and fetch both send them. */
export function headersOf({ picture, json, code, accept }) {
  return {
    ...(picture && { "Content-Type": picture.blob.type }),
    ...(json && { "Content-Type": "application/json" }),
    ...(code && { "Content-Type": code.type }),
    ...(accept && { Accept: accept }),
  };
}

/**
 * Send a call.
 * @param {Request} request
 * @param {AbortSignal} signal
 * @returns {Promise<{data: Object|Blob, ms: number}>} JSON, or a file as a blob
 * @throws {Problem}
 */
export async function send(request, signal) {
  const started = performance.now();
  const { picture, json, code } = request;
  const body = picture?.blob ?? code ?? JSON.stringify(json ?? {});
  const headers = { "Content-Type": "application/json", ...headersOf(request) };
  const { data, status } = await exchange(urlOf(request), { method: "POST", headers, body, signal });
  const ms = performance.now() - started;
  calls.push({ model: request.model, verb: request.verb, ms, status });
  calls.splice(0, calls.length - REMEMBERED);
  if (status >= 400) throw new Problem(status, data.title ?? "", data.detail ?? data.error ?? "");
  return { data, ms };
}

/**
 * Every model that is served, as GET /v1/models lists it. A cascade takes the images of its small
 * model, and answers its classes.
 */
export async function listModels(signal) {
  const { models } = await get("v1/models", signal);
  return models.map((model) => {
    const small = models.find(({ name }) => name === model.cascade?.small);
    return { classes: small?.classes ?? [], images: small?.images ?? null, ...model };
  });
}

/** The card of a model, in Markdown. */
export async function cardOf(model, signal) {
  return (await get(`v1/models/${encodeURIComponent(model)}/card`, signal)).text();
}

/** The signatures of a model by name, as TensorFlow Serving describes them. */
export async function signaturesOf(model, signal) {
  const path = `v1/models/${encodeURIComponent(model)}/metadata`;
  return (await get(path, signal)).metadata.signature_def.signature_def;
}

/** What a model offers of a family of signatures: the names behind its prefix, such as "saliency_". */
export function familyOf(signatures, prefix) {
  const names = Object.keys(signatures).filter((name) => name.startsWith(prefix));
  return names.sort().map((name) => name.slice(prefix.length));
}

/** The dimensions of a tensor that a signature describes, without the batch. */
export function shapeOf(tensor) {
  return tensor.tensor_shape.dim.slice(1).map(({ size }) => Number(size));
}

/** Whether this tab has a key. */
export function hasKey() {
  return sessionStorage.getItem(KEY) !== null;
}

/** Remember a key for this tab. */
export function useKey(key) {
  sessionStorage.setItem(KEY, key);
}

async function get(path, signal) {
  const { data, status } = await exchange(new URL(path, document.baseURI), { signal });
  if (status >= 400) throw new Problem(status, data.title ?? "", data.detail ?? data.error ?? "");
  return data;
}

async function exchange(url, options) {
  const key = sessionStorage.getItem(KEY);
  const headers = { ...options.headers, ...(key && { Authorization: `Bearer ${key}` }) };
  try {
    const response = await fetch(url, { ...options, headers });
    const isJson = response.headers.get("Content-Type")?.includes("json");
    return { data: await (isJson ? response.json() : response.blob()), status: response.status };
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, "No answer", `The gateway does not answer (${error.message}). Is it running?`);
  }
}
