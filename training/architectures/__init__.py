"""Network architectures: functions that build untrained Keras models."""
