/**
 * Turn the pages, mark the questions, and keep the record.
 *
 * The pages are in the document: this script shows one at a time. What it says comes from the document, too
 * (`#words`), so that a translation touches no script.
 */

import { connect } from "./record.js";

const PASS = 0.6;

const pages = [...document.querySelectorAll("main > section")];
const questions = [...document.querySelectorAll("fieldset[data-type]")];
const words = JSON.parse(element("words").textContent);
const record = connect();
const begun = Date.now();
const state = { page: 0, answers: {}, checked: false, ended: false };

resume();
show(state.page);
if (record === null) say("not_recorded");

element("previous").addEventListener("click", () => turnTo(state.page - 1));
element("next").addEventListener("click", () => turnTo(state.page + 1));
element("check").addEventListener("click", check);
element("finish").addEventListener("click", finish);
document.addEventListener("change", takeAnswers);
// Closing the window, following a link and taking the frame away all pass by here.
window.addEventListener("pagehide", () => end({ finished: false }));

/** Go on where the learner stopped: at the bookmark, with the answers given so far. */
function resume() {
  if (record === null) return;
  const page = Number.parseInt(record.bookmark(), 10);
  if (page >= 1 && page <= pages.length) state.page = page - 1;
  try {
    const memory = JSON.parse(record.memory());
    state.answers = memory.answers ?? {};
    state.checked = memory.checked === true;
  } catch {
    return; // nothing kept yet
  }
  for (const [question, value] of Object.entries(state.answers)) {
    const answer = document.querySelector(
      `input[name="${CSS.escape(question)}"][value="${CSS.escape(String(value))}"]`,
    );
    if (answer !== null) answer.checked = true;
  }
}

function show(number) {
  state.page = number;
  pages.forEach((page, index) => {
    page.hidden = index !== number;
  });
  element("page-number").textContent = fill("page", { page: number + 1, pages: pages.length });
  element("previous").disabled = number === 0;
  element("next").disabled = number === pages.length - 1;
  element("finish").disabled = !state.checked;
}

function turnTo(number) {
  if (number < 0 || number >= pages.length) return;
  show(number);
  element("status").textContent = "";
  window.scrollTo(0, 0);
  pages[number].querySelector("h1").focus();
  save();
}

function takeAnswers() {
  for (const question of questions) {
    const chosen = question.querySelector("input:checked");
    if (chosen !== null) state.answers[question.id] = chosen.value;
  }
}

/** Mark the questions, tell the learner, and record answers and score. */
function check() {
  if (questions.some((question) => state.answers[question.id] === undefined)) {
    say("unanswered");
    return;
  }
  let right = 0;
  for (const question of questions) {
    const response = state.answers[question.id];
    const isRight = response === question.dataset.correct;
    right += Number(isRight);
    question.querySelector(".mark").textContent = words[isRight ? "right" : "wrong"];
    record?.answered({
      id: question.id,
      type: question.dataset.type,
      question: question.querySelector("legend").textContent.trim(),
      correct: question.dataset.correct,
      response,
      right: isRight,
      seconds: secondsHere(),
    });
  }
  const passed = right / questions.length >= PASS;
  state.checked = true;
  element("finish").disabled = false;
  record?.scored({ right, total: questions.length, passed });
  const marked = fill(passed ? "passed" : "failed", { right, total: questions.length });
  element("status").textContent = save() ? marked : `${marked} ${words.not_confirmed}`;
}

/** Write down page and answers; tell the learner when nobody said that they were taken. */
function save() {
  if (record === null || state.ended) return true;
  record.remember(String(state.page + 1), JSON.stringify({ answers: state.answers, checked: state.checked }));
  record.progress(state.checked ? 1 : state.page / pages.length);
  const saved = record.save();
  if (!saved) say("not_confirmed");
  return saved;
}

function finish() {
  say(end({ finished: true }) ? "finished" : "end_not_confirmed");
  for (const control of document.querySelectorAll("button, input")) control.disabled = true;
}

/** Close the record, once. */
function end({ finished }) {
  if (record === null || state.ended) return true;
  save();
  state.ended = true;
  return record.end({ finished, seconds: secondsHere() });
}

function secondsHere() {
  return (Date.now() - begun) / 1000;
}

function say(word, facts = {}) {
  element("status").textContent = fill(word, facts);
}

function fill(word, facts) {
  return words[word].replace(/\{(\w+)\}/g, (_, fact) => String(facts[fact]));
}

function element(id) {
  return document.getElementById(id);
}
