"use strict";
/* The colour of each image: of its name, or of its number on a ramp or a wheel. */

// Okabe and Ito's colours first, told apart with any colour vision, then darker and lighter ones.
const NAMES = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00",
  "#8a6fd1", "#a3a500", "#7f5539", "#00b8b0", "#e36b8d", "#6b7a89"];
const RAMP = ["#440154", "#482878", "#3e4a89", "#31688e", "#26828e", "#1f9e89",
  "#35b779", "#6ece58", "#b5de2b", "#fde725"];  // viridis
const RAMP_ON_DARK = RAMP.map((_, i) => ["#7b52ab", "#6f6cc4", "#5a86cf", "#4aa0cf", "#3fb6c0",
  "#45c7a4", "#68d487", "#95de66", "#c6e24d", "#fde725"][i]);
const WHEEL = ["#c9a227", "#d1603d", "#b23a6f", "#6f4bb0", "#3d74b8", "#2f9c95", "#6aa84f", "#c9a227"];

const dark = matchMedia("(prefers-color-scheme: dark)");
const ink = name => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const ramp = () => dark.matches ? RAMP_ON_DARK : RAMP;

function onRamp(stops, share) {
  const at = Math.min(Math.max(share, 0), 1) * (stops.length - 1), low = Math.floor(at);
  const [a, b] = [stops[low], stops[Math.min(low + 1, stops.length - 1)]].map(hex =>
    [1, 3, 5].map(i => parseInt(hex.slice(i, i + 2), 16)));
  return `rgb(${a.map((v, i) => Math.round(v + (b[i] - v) * (at - low))).join(",")})`;
}

/* Return the colour of each group of a variable. */
function groupColours(variable) {
  const last = Math.max(variable.groups.length - 1, 1);
  if (variable.scale === "names") return variable.groups.map((_, i) => NAMES[i % NAMES.length]);
  if (variable.scale === "cycle") return variable.groups.map((name) => {
    const [from, to] = name.split(" to ").map(Number);
    return onRamp(WHEEL, (to === undefined ? from : (from + to) / 2) / variable.period);
  });
  return variable.groups.map((_, i) => onRamp(ramp(), i / last));
}

/* Return the colour of each image. */
function imageColours(variable) {
  if (variable.numbers === null) {
    const colours = groupColours(variable);
    return variable.codes.map(code => code < 0 ? ink("none") : colours[code]);
  }
  const [low, high] = extent(variable);
  const stops = variable.scale === "cycle" ? WHEEL : ramp();
  return variable.numbers.map(number => number === null ? ink("none")
    : onRamp(stops, (number - low) / (high - low || 1)));
}

/* Return where the ramp starts and ends: a few extremes shall not take all the colours. */
function extent(variable) {
  if (variable.scale === "cycle") return [0, variable.period];
  const known = variable.numbers.filter(number => number !== null).sort((a, b) => a - b);
  return [0.02, 0.98].map(share => known[Math.round(share * (known.length - 1))]);
}
