/** The course's record in a SCORM 2004 learning system (SCORM 2004 RTE 4.2). */

import { findApi } from "./find_api.js";

/** Begin to talk to the learning system; null when there is none. */
export function connect() {
  const api = findApi("API_1484_11");
  if (api === null || String(api.Initialize("")) !== "true") return null;
  const set = (element, value) => api.SetValue(element, String(value));
  const get = (element) => String(api.GetValue(element));
  if (["unknown", "not attempted"].includes(get("cmi.completion_status"))) {
    set("cmi.completion_status", "incomplete");
  }

  return {
    bookmark: () => get("cmi.location"),
    memory: () => get("cmi.suspend_data"),

    remember(page, memory) {
      set("cmi.location", page);
      set("cmi.suspend_data", memory);
    },

    progress(measure) {
      set("cmi.progress_measure", decimal(measure));
    },

    answered(answer) {
      const at = `cmi.interactions.${Number(get("cmi.interactions._count"))}`;
      set(`${at}.id`, answer.id);
      set(`${at}.type`, answer.type);
      set(`${at}.timestamp`, timestamp(new Date()));
      set(`${at}.description`, answer.question);
      set(`${at}.correct_responses.0.pattern`, answer.correct);
      set(`${at}.learner_response`, answer.response);
      set(`${at}.result`, answer.right ? "correct" : "incorrect");
      set(`${at}.weighting`, 1);
      set(`${at}.latency`, timespan(answer.seconds));
    },

    scored({ right, total, passed }) {
      set("cmi.score.min", 0);
      set("cmi.score.max", 100);
      set("cmi.score.raw", Math.round((100 * right) / total));
      set("cmi.score.scaled", decimal(right / total));
      set("cmi.completion_status", "completed");
      set("cmi.success_status", passed ? "passed" : "failed");
    },

    save: () => String(api.Commit("")) === "true",

    end({ finished, seconds }) {
      set("cmi.session_time", timespan(seconds));
      set("cmi.exit", finished ? "normal" : "suspend");
      return String(api.Terminate("")) === "true";
    },
  };
}

/** timeinterval (second,10,2): PT…H…M…S (RTE 4.1.1.7). */
function timespan(seconds) {
  const hundredths = Math.round(seconds * 100);
  const whole = Math.floor(hundredths / 100);
  const rest = ((hundredths % 6000) / 100).toFixed(2);
  return `PT${Math.floor(whole / 3600)}H${Math.floor(whole / 60) % 60}M${rest}S`;
}

/** time (second,10,0): a zone may only follow a fraction, and that has at most two digits (RTE 4.1.1.6). */
function timestamp(instant) {
  return `${instant.toISOString().slice(0, 22)}Z`;
}

function decimal(number) {
  return String(Number(number.toFixed(4)));
}
