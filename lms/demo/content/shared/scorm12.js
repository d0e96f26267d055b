/** The course's record in a SCORM 1.2 learning system (SCORM 1.2 RTE 3.4). */

import { findApi } from "./find_api.js";

/** Begin to talk to the learning system; null when there is none. */
export function connect() {
  const api = findApi("API");
  if (api === null || String(api.LMSInitialize("")) !== "true") return null;
  const set = (element, value) => api.LMSSetValue(element, String(value));
  const get = (element) => String(api.LMSGetValue(element));
  if (get("cmi.core.lesson_status") === "not attempted") set("cmi.core.lesson_status", "incomplete");

  return {
    bookmark: () => get("cmi.core.lesson_location"),
    memory: () => get("cmi.suspend_data"),

    remember(page, memory) {
      set("cmi.core.lesson_location", page);
      set("cmi.suspend_data", memory);
    },

    progress() {
      // SCORM 1.2 has no measure of progress.
    },

    answered(answer) {
      const at = `cmi.interactions.${Number(get("cmi.interactions._count"))}`;
      set(`${at}.id`, answer.id);
      set(`${at}.type`, answer.type);
      set(`${at}.time`, clockTime(new Date()));
      set(`${at}.correct_responses.0.pattern`, answer.correct.charAt(0));
      set(`${at}.student_response`, answer.response.charAt(0));
      set(`${at}.result`, answer.right ? "correct" : "wrong");
      set(`${at}.weighting`, 1);
      set(`${at}.latency`, timespan(answer.seconds));
    },

    scored({ right, total, passed }) {
      set("cmi.core.score.min", 0);
      set("cmi.core.score.max", 100);
      set("cmi.core.score.raw", Math.round((100 * right) / total));
      set("cmi.core.lesson_status", passed ? "passed" : "failed");
    },

    save: () => String(api.LMSCommit("")) === "true",

    end({ finished, seconds }) {
      set("cmi.core.session_time", timespan(seconds));
      set("cmi.core.exit", finished ? "" : "suspend");
      return String(api.LMSFinish("")) === "true";
    },
  };
}

/** CMITimespan: HHHH:MM:SS.SS (RTE 3.4.2.1). */
function timespan(seconds) {
  const hundredths = Math.round(seconds * 100);
  const whole = Math.floor(hundredths / 100);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60].map(twoDigits);
  return `${parts.join(":")}.${twoDigits(hundredths % 100)}`;
}

/** CMITime: HH:MM:SS. */
function clockTime(instant) {
  return [instant.getHours(), instant.getMinutes(), instant.getSeconds()].map(twoDigits).join(":");
}

function twoDigits(number) {
  return String(number).padStart(2, "0");
}
