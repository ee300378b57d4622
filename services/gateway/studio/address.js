// The state of the page, which lives in its address: #VIEW?NAME=VALUE&….

/** The view that the address names, and its parameters. */
export function readAddress() {
  const [view, query] = location.hash.slice(1).split("?");
  return { view, parameters: new URLSearchParams(query) };
}

/** Write an address without a new entry in the history, since only what is shown has changed. */
export function replaceAddress(view, parameters) {
  history.replaceState(null, "", addressOf(view, parameters));
}

export function addressOf(view, parameters) {
  const query = parameters.toString();
  return query ? `#${view}?${query}` : `#${view}`;
}
