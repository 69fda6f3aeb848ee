// What pages do beside being read: times in the reader's zone, keys, and what is live.
// Every page reads without it.
(() => {
  'use strict';

  const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

  // Times stand in UTC; here they are written as the reader's own.
  function localise(root) {
    for (const t of root.querySelectorAll('time[datetime]:not([data-local])')) {
      const at = new Date(t.dateTime);
      if (isNaN(at)) continue;
      t.dataset.local = '';
      if (t.classList.contains('rel')) t.title = full.format(at);
      else t.textContent = full.format(at);
    }
  }

  // Live: where the registry has moved, the parts of the page that say so are asked for anew.
  const every = 5000;
  let seen = null;
  async function look() {
    if (document.hidden || !document.querySelector('[hx-trigger*="changed"]')) return;
    try {
      const r = await fetch('/moved', { cache: 'no-store' });
      if (!r.ok) return;
      const now = await r.text();
      if (seen !== null && now !== seen && !busy()) htmx.trigger(document.body, 'changed');
      if (seen === null || !busy()) seen = now;
    } catch { /* the server is away: it is asked again */ }
  }

  // busy: the reader is choosing or writing; nothing is taken from under their hands.
  function busy() {
    const a = document.activeElement;
    return !!document.querySelector('[data-row] input:checked, dialog[open]') || !!(a && a.closest('[hx-trigger*="changed"]') && a.matches('input, textarea, select'));
  }

  // Keys.
  const rows = () => [...document.querySelectorAll('tr[data-row]')];
  const at = () => rows().findIndex((r) => r.classList.contains('at'));
  function move(by) {
    const list = rows();
    if (!list.length) return;
    const from = at();
    const to = Math.min(Math.max(from < 0 ? (by > 0 ? 0 : list.length - 1) : from + by, 0), list.length - 1);
    if (from >= 0) list[from].classList.remove('at');
    list[to].classList.add('at');
    const link = list[to].querySelector('a.row') || list[to].querySelector('a, input');
    if (link) link.focus({ preventScroll: true });
    list[to].scrollIntoView({ block: 'nearest' });
  }
  let went = 0;
  document.addEventListener('keydown', (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented) return;
    const field = e.target.closest('input:not([type=checkbox]), textarea, select');
    if (field) {
      if (e.key === 'Escape') field.blur();
      return;
    }
    if (went && Date.now() - went < 1500) {
      went = 0;
      const link = document.querySelector('[data-keys="g ' + CSS.escape(e.key) + '"]');
      if (link) { e.preventDefault(); link.click(); }
      return;
    }
    switch (e.key) {
      case '/': {
        const box = document.querySelector('#q') || document.querySelector('#jump');
        if (box) { e.preventDefault(); box.focus(); box.select(); }
        break;
      }
      case 'j': move(1); break;
      case 'k': move(-1); break;
      case 'x': {
        const box = rows()[at()]?.querySelector('input[type=checkbox]');
        if (box) box.click();
        break;
      }
      case 'g': went = Date.now(); break;
      case '?': document.querySelector('#keys')?.showModal?.(); break;
    }
  });

  // What is being typed into a search is completed.
  let typing;
  document.addEventListener('input', (e) => {
    const box = e.target;
    if (!box.matches('input[list=suggested]')) return;
    clearTimeout(typing);
    typing = setTimeout(async () => {
      const text = box.value;
      const r = await fetch('/search/suggestions?q=' + encodeURIComponent(text), { headers: { 'HX-Request': 'true' } }).catch(() => null);
      if (!r || !r.ok || box.value !== text) return;
      const before = text.slice(0, text.length - (text.match(/(?:"[^"]*"?|\S)*$/) || [''])[0].length);
      const list = document.querySelector('#suggested');
      const doc = new DOMParser().parseFromString(await r.text(), 'text/html');
      list.replaceChildren(...[...doc.querySelectorAll('option')].map((o) => new Option('', before + o.value)));
    }, 150);
  });

  // A form shows the fields of what was chosen in it; without scripts all are there.
  function choose(root) {
    for (const select of root.querySelectorAll('select[data-action]')) {
      for (const field of select.form.querySelectorAll('[data-for]')) {
        field.toggleAttribute('data-off', !field.dataset.for.split(' ').includes(select.value));
      }
    }
  }
  document.addEventListener('change', (e) => {
    if (e.target.matches('select[data-action]')) choose(e.target.form);
    if (e.target.matches('[data-all]')) {
      for (const box of document.querySelectorAll('[data-row] input[type=checkbox]')) box.checked = e.target.checked;
    }
    if (e.target.matches('[type=checkbox]')) {
      const n = document.querySelectorAll('[data-row] input:checked').length;
      const word = document.querySelector('.bulk .selected');
      if (word) word.textContent = n ? 'Of ' + n + ' selected:' : 'Of the selected:';
    }
  });

  // The chart of days can be read off with the mouse; without scripts it is a drawing.
  function plot(root) {
    const table = root.querySelector('table[data-trend]');
    const box = root.querySelector('[data-plot]');
    if (!table || !box || !window.uPlot) return;
    const days = [...table.tBodies[0].rows];
    if (days.length < 2) return;
    const names = [...table.tHead.rows[0].cells].slice(1).map((c) => c.textContent);
    const data = [days.map((r) => Date.parse(r.cells[0].textContent) / 1000), ...names.map((_, i) => days.map((r) => +r.cells[i + 1].textContent))];
    const style = getComputedStyle(document.documentElement);
    const ink = (name) => { const s = document.createElement('span'); s.hidden = true; s.style.color = style.getPropertyValue(name); document.body.append(s); const c = getComputedStyle(s).color; s.remove(); return c; };
    const drawn = box.querySelector('svg');
    const series = names.map((label) => {
      const line = drawn.querySelector('.line.' + CSS.escape(label) + ' polyline');
      const s = getComputedStyle(line);
      return { label, stroke: s.stroke, width: 2, dash: s.strokeDasharray === 'none' ? [] : s.strokeDasharray.split(',').map(parseFloat), points: { show: false } };
    });
    const axis = { stroke: ink('--dim'), grid: { stroke: ink('--line'), width: 1 }, ticks: { show: false } };
    const shown = [...root.querySelectorAll('.legend b')];
    const on = root.querySelector('[data-on]');
    const read = (u) => {
      const at = u.cursor.idx ?? days.length - 1;
      shown.forEach((b, i) => { b.textContent = data[i + 1][at]; });
      on.textContent = days[at].cells[0].textContent;
    };
    drawn.toggleAttribute('hidden', true);
    for (const end of root.querySelectorAll('[data-end]')) end.toggleAttribute('hidden', true);
    const u = new uPlot({
      width: box.clientWidth, height: 180, legend: { show: false }, tzDate: (ts) => uPlot.tzDate(new Date(ts * 1000), 'UTC'), series: [{}, ...series], hooks: { setCursor: [read] },
      axes: [{ ...axis, size: 30, incrs: [1, 2, 7, 14, 30].map((d) => d * 86400), values: '{MMM} {D}' }, { ...axis, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 1e4, 1e5, 1e6], size: 44 }],
      scales: { y: { range: (_, lo, hi) => [0, Math.max(hi, 1)] } },
    }, data, box);
    new ResizeObserver(() => u.setSize({ width: box.clientWidth, height: 180 })).observe(box);
  }

  // A form that asks before it is sent.
  document.addEventListener('submit', (e) => {
    const ask = e.submitter?.dataset.ask || e.target.dataset.ask;
    if (ask && !confirm(ask)) e.preventDefault();
  });

  document.addEventListener('htmx:load', (e) => { localise(e.detail.elt); choose(e.detail.elt); plot(e.detail.elt); });
  document.addEventListener('visibilitychange', look);
  localise(document);
  choose(document);
  plot(document);
  look();
  setInterval(look, every);
})();
