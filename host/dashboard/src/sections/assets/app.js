// What the pages do beyond being read: sort and filter tables, keep live numbers live, try weights out. Everything can
// be read without it.
'use strict';

(() => {
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  const one = (selector, root = document) => root.querySelector(selector);

  // --- Tables: a click on a heading sorts by it, a second one turns the order round. ---

  // A number as it is written for people, as one for programs: `<0.001%`, `−1,234.5`.
  const plain = (text) => {
    const written = /^<?[−-]?[\d,]+(\.\d+)?(e[−-]?\d+)?%?$/.test(text);
    return written ? text.replace(/[<,%]/g, '').replaceAll('−', '-') : text;
  };

  const valueOf = (row, column) => {
    const cell = row.cells[column];
    if (!cell) return null;
    const value = cell.dataset.value;
    const text = value === undefined ? plain(cell.textContent.trim()) : value;
    return text === '' || text === '·' || text === '–' ? null : text;
  };

  const isNumber = (text) => text.trim() !== '' && Number.isFinite(Number(text));

  // Numbers by size, all else by letters; what is missing comes last in either order.
  const compare = (a, b, sign) => {
    if (a === null || b === null) return (a === null ? 1 : 0) - (b === null ? 1 : 0);
    if (isNumber(a) && isNumber(b)) return sign * (Number(a) - Number(b));
    return sign * a.localeCompare(b);
  };

  const sort = (table, th, order) => {
    const column = th.cellIndex;
    const body = table.tBodies[0];
    const sign = order === 'ascending' ? 1 : -1;
    const rows = Array.from(body.rows).map((row, place) => ({ row, place, value: valueOf(row, column) }));
    rows.sort((a, b) => compare(a.value, b.value, sign) || a.place - b.place);
    body.append(...rows.map(({ row }) => row));
    all('th[aria-sort]', table).forEach((other) => other.removeAttribute('aria-sort'));
    th.setAttribute('aria-sort', order);
  };

  const sortBy = (button) => {
    const th = button.closest('th');
    const first = th.dataset.first || 'ascending';
    const second = first === 'ascending' ? 'descending' : 'ascending';
    sort(th.closest('table'), th, th.getAttribute('aria-sort') === first ? second : first);
  };

  document.addEventListener('click', (event) => {
    const button = event.target.closest('th > button');
    if (button) sortBy(button);
  });

  // --- Filter: shows the rows in which every word occurs. ---

  const filter = (input) => {
    const table = document.getElementById(input.getAttribute('aria-controls'));
    if (!table) return;
    const words = input.value.toLowerCase().split(/\s+/).filter((word) => word !== '');
    let shown = 0;
    Array.from(table.tBodies[0].rows).forEach((row) => {
      const text = ((row.dataset.hotkey || '') + ' ' + row.textContent).toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      shown += row.hidden ? 0 : 1;
    });
    const count = one('output', input.closest('.filter'));
    if (count) count.textContent = words.length === 0 ? '' : shown + ' of ' + table.tBodies[0].rows.length;
  };

  all('input[type="search"][aria-controls]').forEach((input) => {
    input.addEventListener('input', () => filter(input));
    if (input.value !== '') filter(input);
  });

  // --- Times: how long ago, by this machine's clock. ---

  const ago = (seconds) => {
    const future = seconds < 0;
    const s = Math.abs(seconds);
    let text = Math.floor(s / 86400).toLocaleString('en') + ' days';
    if (s < 90) text = Math.round(s) + ' s';
    else if (s < 5400) text = Math.round(s / 60) + ' min';
    else if (s < 172800) text = (s / 3600).toFixed(1) + ' h';
    return future ? 'in ' + text : text + ' ago';
  };

  const tick = () => {
    const now = Date.now() / 1000;
    all('time[data-unix]').forEach((time) => {
      const text = ago(now - Number(time.dataset.unix));
      if (time.textContent !== text) time.textContent = text;
    });
  };

  if (one('time[data-unix]') || one('[data-live]')) {
    tick();
    setInterval(tick, 1000);
  }

  // --- Live numbers: fetched every few seconds while the page is in view. ---

  const get = async (address, signal) => {
    const answer = await fetch(address, { signal, headers: { accept: 'text/html, application/json' } });
    if (answer.ok) return answer;
    // An answer that refuses says why, if it is JSON.
    const problem = await answer.json().catch(() => ({}));
    throw new Error(problem.detail || 'the server answers ' + answer.status);
  };

  const live = one('[data-live]');
  const connection = document.getElementById('connection');
  let heard = Date.now();

  const refresh = async () => {
    const late = AbortSignal.timeout(10000);
    try {
      const text = await (await get(live.dataset.live, late)).text();
      const part = new DOMParser().parseFromString(text, 'text/html').body;
      // What is focused or marked stays until that is over.
      const marked = getSelection();
      const busy = live.contains(document.activeElement) ||
        (marked && !marked.isCollapsed && live.contains(marked.anchorNode));
      if (!busy) live.replaceChildren(...part.childNodes);
      heard = Date.now();
      live.classList.remove('lost');
      if (connection) connection.textContent = '';
    } catch {
      live.classList.add('lost');
      if (connection) {
        connection.textContent = 'The validator has not answered for ' + ago((Date.now() - heard) / 1000).replace(' ago', '') + '.';
      }
    }
    tick();
  };

  if (live) {
    let timer = null;
    const next = async () => {
      await refresh();
      timer = document.hidden ? null : setTimeout(next, 5000);
    };
    timer = setTimeout(next, 5000);
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden && timer === null) next();
      if (document.hidden && timer !== null) {
        clearTimeout(timer);
        timer = null;
      }
    });
  }

  // --- What if: the leaderboard under other weights. Nothing is changed by it. ---

  const form = document.getElementById('what-if');

  const percent = (x) => {
    const p = 100 * x;
    if (!(p > 0)) return '0%';
    if (p < 0.001) return '<0.001%';
    return p.toFixed(p < 0.1 ? 3 : p < 10 ? 2 : 1) + '%';
  };

  const cell = (text, value, kind) => {
    const td = document.createElement('td');
    td.className = kind;
    td.dataset.value = value;
    td.textContent = text;
    return td;
  };

  const miner = (line) => {
    const row = document.createElement('tr');
    row.dataset.hotkey = line.hotkey;
    const who = document.createElement('th');
    who.scope = 'row';
    who.className = 'who';
    who.dataset.value = line.hotkey;
    const link = document.createElement('a');
    link.href = '/miners/' + encodeURIComponent(line.hotkey);
    link.title = line.hotkey;
    const letters = Array.from(line.hotkey);
    link.textContent = letters.length > 10 ? letters.slice(0, 10).join('') + '…' : line.hotkey;
    who.append(link);
    const moved = line.rank && line.rank_now ? line.rank_now - line.rank : 0;
    const change = line.total - line.total_now;
    const sign = change > 0 ? '+' : change < 0 ? '−' : '';
    row.append(
      cell(line.rank || '–', line.rank || '', 'n muted'),
      who,
      cell(percent(line.total), line.total, 'n'),
      cell(percent(line.total_now), line.total_now, 'n'),
      cell(sign + percent(Math.abs(change)), change, 'n'),
      cell(moved > 0 ? '▲ ' + moved : moved < 0 ? '▼ ' + -moved : '', moved, 'n'),
    );
    return row;
  };

  if (form) {
    const sliders = all('input[type="range"]', form);
    const state = document.getElementById('what-if-state');
    const table = document.getElementById('what-if-leaderboard');
    let running = null;

    const output = (slider, name) => one('[data-' + name + '="' + CSS.escape(slider.dataset.ticker) + '"]', form);
    const number = (x) => String(Number(Number(x).toPrecision(4)));

    const unit = (slider) => slider.dataset.unit || '';

    const label = (slider) => {
      const text = number(slider.value) + unit(slider);
      output(slider, 'number').textContent = text;
      slider.setAttribute('aria-valuetext', text);
    };

    // A slider may round what it is set to: one that was not moved counts as configured, to the last digit.
    const weight = (slider) => {
      const configured = Number(slider.dataset.configured);
      const value = Number(slider.value);
      return Math.abs(value - configured) <= 1e-6 * Number(slider.max) ? configured : value;
    };
    const changed = () => sliders.some((slider) => weight(slider) !== Number(slider.dataset.configured));

    const ask = async () => {
      if (running) running.abort();
      const mine = new AbortController();
      running = mine;
      const query = new URLSearchParams(sliders.map((slider) => [slider.dataset.ticker, weight(slider) + unit(slider)]));
      try {
        const answer = await (await get(form.dataset.api + '?' + query, mine.signal)).json();
        if (running !== mine) return;
        sliders.forEach((slider) => {
          const share = answer.shares[slider.dataset.ticker] || 0;
          const place = output(slider, 'share');
          place.dataset.value = share;
          place.textContent = percent(share);
        });
        table.tBodies[0].replaceChildren(...answer.miners.map(miner));
        all('th[aria-sort]', table).forEach((th) => th.removeAttribute('aria-sort'));
        state.textContent = changed()
          ? 'As it would be with these weights. Nothing is changed by looking.'
          : 'As it is, with the weights of the configuration.';
        form.dataset.answered = String(query);
      } catch (error) {
        if (error.name !== 'AbortError') state.textContent = 'Not worked out: ' + error.message + '.';
      }
    };

    let timer = null;
    const soon = () => {
      clearTimeout(timer);
      timer = setTimeout(ask, 120);
    };

    sliders.forEach((slider) => {
      label(slider);
      slider.addEventListener('input', () => {
        label(slider);
        soon();
      });
    });
    document.getElementById('what-if-reset').addEventListener('click', () => {
      sliders.forEach((slider) => {
        slider.value = slider.dataset.configured;
        label(slider);
      });
      soon();
    });
    // A browser that goes back keeps sliders where they were.
    if (changed()) soon();
  }
})();
