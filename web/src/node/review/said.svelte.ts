// What came of the last decision, said on the page that comes after it.
class Said {
  text = $state('');
}

export const said = new Said();
