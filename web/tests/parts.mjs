// Parts of a page, for tests of the real demo.

/** A number as pages write it. */
export const count = (value) => new Intl.NumberFormat('en-GB').format(value);
/** The text of a table's cells, row by row. */
export const tableRows = (place) =>
  place.locator('tbody tr').evaluateAll((rows) => rows.map((row) => [...row.cells].map((cell) => cell.innerText.trim())));
/** The card with this heading. */
export const card = (page, title) => page.locator('section', { has: page.getByRole('heading', { level: 2, name: title, exact: true }) });
/** Where the state of what a page is about stands. */
export const status = (page, word) => page.getByRole('main').getByText(word, { exact: true }).first();

/** The figures at the top of a page by their words. */
export const figures = (page) =>
  page.locator('main dl').first().locator('div').evaluateAll((all) =>
    Object.fromEntries(all.map((one) => [one.querySelector('dt').innerText, one.querySelector('dd').innerText])),
  );
