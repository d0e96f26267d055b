/**
 * Find the learning system's API object (SCORM 1.2 RTE 3.3.6.1; SCORM 2004 RTE 3.3.1): in the parents of this
 * window, then in the window that opened it and its parents.
 *
 * @param {"API" | "API_1484_11"} name
 * @returns {any} the object, or null when nobody offers one
 */
export function findApi(name) {
  return amongParents(window, name) ?? (window.opener ? amongParents(window.opener, name) : null);
}

const MOST_PARENTS = 50;

function amongParents(start, name) {
  let place = start;
  for (let steps = 0; steps < MOST_PARENTS; steps += 1) {
    try {
      if (place[name]) return place[name];
    } catch {
      return null; // a window of another host: whoever offers the API stands before it
    }
    if (place.parent === place) return null;
    place = place.parent;
  }
  return null;
}
