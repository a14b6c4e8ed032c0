/** Finds and makes elements of the page. */
const elements = (() => {
  'use strict';

  const SAID = 2000; // milliseconds for which a button says what came of a press

  /** @param {string} selector @param {ParentNode} [root] @returns {HTMLElement[]} */
  function all(selector, root = document) {
    return Array.from(root.querySelectorAll(selector));
  }

  /** The first match, which has to exist. @param {string} selector @param {ParentNode} root @returns {HTMLElement} */
  function find(selector, root) {
    return /** @type {HTMLElement} */ (root.querySelector(selector));
  }

  /**
   * @template {keyof HTMLElementTagNameMap} Tag
   * @param {Tag} tag @param {Partial<HTMLElementTagNameMap[Tag]>} [properties] @param {(Node | string)[]} children
   * @returns {HTMLElementTagNameMap[Tag]}
   */
  function make(tag, properties = {}, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  }

  /** @param {string} className @param {string} textContent @param {() => void} press @returns {HTMLButtonElement} */
  function button(className, textContent, press) {
    const element = make('button', { type: 'button', className, textContent });
    element.addEventListener('click', press);
    return element;
  }

  /** Let a button say something for a moment. @param {Element} element @param {string} text @param {string} usual */
  function say(element, text, usual) {
    element.textContent = text;
    setTimeout(() => {
      element.textContent = usual;
    }, SAID);
  }

  /** @param {string} name of an SVG element @param {Record<string, string>} attributes @returns {SVGElement} */
  function draw(name, attributes) {
    const element = document.createElementNS('http://www.w3.org/2000/svg', name);
    Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
    return element;
  }

  return { all, button, draw, find, make, say };
})();
