"use strict";
const make = (tag, attributes, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children.filter(each => each !== null && each !== undefined));
  return node;
};
const code = text => make("code", {}, text);
// Text in which code stands between backticks, as documents have it.
const prose = text => text.split("`").map((each, number) => number % 2 ? code(each) : each);
const shown = value => typeof value === "string" ? value : JSON.stringify(value, null, 2);

const render = description => {
  const follow = schema => schema && schema.$ref ? description.components.schemas[schema.$ref.split("/").pop()] : schema;

  /* What a value may be, in a line. */
  const kind = schema => {
    if (!schema) return "anything";
    if (schema.$ref) return follow(schema).title || "object";
    if (schema.anyOf) return schema.anyOf.map(kind).join(" or ");
    if (schema.enum) return schema.enum.map(each => JSON.stringify(each)).join(" or ");
    if (schema.type === "array") return "list of " + kind(schema.items || (schema.prefixItems || [])[0]);
    const bounds = [];
    if (schema.format) bounds.push(schema.format);
    if (schema.pattern) bounds.push(schema.pattern);
    if (schema.minimum !== undefined) bounds.push("from " + schema.minimum);
    if (schema.maximum !== undefined) bounds.push("to " + schema.maximum);
    if (schema.default !== undefined) bounds.push("else " + JSON.stringify(schema.default));
    return (schema.type || "anything") + (bounds.length ? " (" + bounds.join(", ") + ")" : "");
  };

  const table = (heads, rows) => make("table", {class: "rows"},
    make("thead", {}, make("tr", {}, ...heads.map(each => make("th", {scope: "col"}, each)))),
    make("tbody", {}, ...rows.map(row => make("tr", {}, ...row.map((each, column) =>
      make("td", {"data-label": heads[column]}, make("span", {}, ...[each].flat())))))));

  const fields = schema => {
    const object = follow(schema) || {}, needed = new Set(object.required || []);
    const rows = Object.entries(object.properties || {}).map(([name, each]) =>
      [code(name), needed.has(name) ? "" : "optional", kind(each)]);
    return [object.description ? make("p", {}, ...prose(object.description)) : null, rows.length ? table(["field", "", "is"], rows) : null];
  };

  const content = media => Object.entries(media || {}).flatMap(([type, each]) => {
    const examples = each.examples ? Object.entries(each.examples).map(([name, example]) => [name, example.value])
      : (follow(each.schema) || {}).examples ? [["example", follow(each.schema).examples[0]]] : [];
    return [make("p", {}, code(type)), ...fields(each.schema),
      ...examples.flatMap(([name, value]) => [make("p", {class: "dim"}, name), make("pre", {}, shown(value))])];
  });

  const operation = (path, method, each) => {
    const inside = make("div", {}, each.description ? make("p", {}, each.description) : null);
    if (each.parameters.length) {
      inside.append(make("h4", {}, "Parameters"), table(["name", "in", "is", "example"], each.parameters.map(parameter => [
        code(parameter.name), parameter.in + (parameter.required ? "" : ", optional"),
        [kind(parameter.schema), parameter.description ? make("small", {}, ...prose(parameter.description)) : ""],
        parameter.example === undefined ? "" : code(shown(parameter.example))])));
    }
    if (each.requestBody) inside.append(make("h4", {}, "Body"), ...content(each.requestBody.content).filter(Boolean));
    const answers = Object.entries(each.responses);
    for (const [status, answer] of answers.filter(([status]) => status < "3")) {
      inside.append(make("h4", {}, "Answer " + status), ...content(answer.content).filter(Boolean));
    }
    inside.append(make("h4", {}, "Errors"), table(["status", "when"],
      answers.filter(([status]) => status >= "3").map(([status, answer]) => [status, prose(answer.description)])));
    return make("details", {id: each.operationId}, make("summary", {}, make("b", {}, method.toUpperCase()), code(path),
      " " + each.summary + (each.security ? " (token)" : "")), inside);
  };

  document.getElementById("main").replaceChildren(...Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, each]) => operation(path, method, each))));
  const opened = document.getElementById(location.hash.slice(1));
  if (opened) { opened.open = true; opened.scrollIntoView(); }
};

fetch("openapi.json").then(answer => answer.json()).then(render).catch(() => {
  document.getElementById("note").textContent = "This service does not answer.";
});
