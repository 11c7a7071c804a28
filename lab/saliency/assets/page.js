"use strict";
/* The controls, and what is drawn anew when one is turned. */

const variableOf = () => DATA.variables[document.getElementById("variable").selectedIndex];

function legend(variable) {
  const parent = document.getElementById("legend"), colours = groupColours(variable);
  const groups = [...variable.groups.entries()];
  if (variable.codes.includes(-1)) groups.push([-1, "(none)"]);
  const chips = groups.map(([code, name]) => {
    const chip = document.createElement("button"), dot = document.createElement("i");
    dot.style.background = code < 0 ? ink("none") : colours[code];
    chip.append(dot, name);
    chip.ariaPressed = "false";
    chip.onclick = () => {
      const on = chip.ariaPressed !== "true";
      for (const each of parent.querySelectorAll("button")) each.ariaPressed = "false";
      chip.ariaPressed = String(on);
      const images = variable.codes.flatMap((own, image) => own === code ? [image] : []);
      space.choose(on ? images : null);
    };
    return chip;
  });
  parent.replaceChildren(...(variable.numbers === null ? [] : rampOf(variable)), ...chips);
}

function rampOf(variable) {
  const stops = variable.scale === "cycle" ? WHEEL : ramp();
  const [low, high] = extent(variable).map(value => {
    const end = document.createElement("small");
    end.textContent = Number(value.toPrecision(6));
    return end;
  });
  const strip = document.createElement("span");
  strip.className = "ramp";
  strip.style.background = `linear-gradient(to right, ${stops.join(",")})`;
  return [low, strip, high];
}

function draw() {
  space.variable = variableOf();
  legend(space.variable);
  space.draw();
  distances.draw(space.variable);
}

function start() {
  const select = document.getElementById("variable");
  select.replaceChildren(...DATA.variables.map(({ name }) => new Option(name)));
  select.onchange = () => { space.chosen = null; document.getElementById("clear").hidden = true; draw(); };
  for (const choice of document.getElementsByName("dimensions")) choice.onchange = () => {
    space.dimensions = choice.value;
    for (const plot of space.plots) { Plotly.purge(plot); delete plot.dataset.linked; }
    space.draw();
  };
  document.getElementById("clear").onclick = () => {
    for (const chip of document.querySelectorAll("#legend button")) chip.ariaPressed = "false";
    space.choose(null);
  };
  space.build(document.getElementById("views"));
  dark.addEventListener("change", draw);
  draw();
}

start();
