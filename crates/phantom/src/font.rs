//! Letters of 3×5 pixels, enough to burn a name and a date into a picture.

/// Columns and rows of a letter, and the columns from one to the next.
const WIDTH: usize = 3;
const HEIGHT: usize = 5;
const ADVANCE: usize = 4;

/// Rows of `A`–`Z` from the top, three bits each.
const LETTERS: [[u8; HEIGHT]; 26] = [
    [2, 5, 7, 5, 5],
    [6, 5, 6, 5, 6],
    [3, 4, 4, 4, 3],
    [6, 5, 5, 5, 6],
    [7, 4, 6, 4, 7],
    [7, 4, 6, 4, 4],
    [3, 4, 5, 5, 3],
    [5, 5, 7, 5, 5],
    [7, 2, 2, 2, 7],
    [1, 1, 1, 5, 2],
    [5, 5, 6, 5, 5],
    [4, 4, 4, 4, 7],
    [5, 7, 7, 5, 5],
    [6, 5, 5, 5, 5],
    [2, 5, 5, 5, 2],
    [6, 5, 6, 4, 4],
    [2, 5, 5, 6, 3],
    [6, 5, 6, 5, 5],
    [3, 4, 2, 1, 6],
    [7, 2, 2, 2, 2],
    [5, 5, 5, 5, 7],
    [5, 5, 5, 5, 2],
    [5, 5, 7, 7, 5],
    [5, 5, 2, 5, 5],
    [5, 5, 2, 2, 2],
    [7, 1, 2, 4, 7],
];
/// Rows of `0`–`9`.
const DIGITS: [[u8; HEIGHT]; 10] = [
    [7, 5, 5, 5, 7],
    [2, 6, 2, 2, 7],
    [7, 1, 7, 4, 7],
    [7, 1, 3, 1, 7],
    [5, 5, 7, 1, 1],
    [7, 4, 7, 1, 7],
    [7, 4, 7, 5, 7],
    [7, 1, 1, 2, 2],
    [7, 5, 7, 5, 7],
    [7, 5, 7, 1, 7],
];

/// Calls `dot(column, row)` for each dark point of a line of text, each letter dot `scale` points wide. Accents fall
/// away; what has no letter leaves a gap.
pub(crate) fn write(text: &str, scale: usize, mut dot: impl FnMut(usize, usize)) {
    for (place, letter) in text.chars().enumerate() {
        let rows = glyph(plain(letter));
        for (row, bits) in rows.iter().enumerate() {
            for column in (0..WIDTH).filter(|c| bits >> (WIDTH - 1 - c) & 1 == 1) {
                let (x, y) = ((place * ADVANCE + column) * scale, row * scale);
                (0..scale * scale).for_each(|i| dot(x + i % scale, y + i / scale));
            }
        }
    }
}

fn glyph(letter: char) -> [u8; HEIGHT] {
    match letter {
        'A'..='Z' => LETTERS[letter as usize - 'A' as usize],
        '0'..='9' => DIGITS[letter as usize - '0' as usize],
        '.' => [0, 0, 0, 0, 2],
        '-' => [0, 0, 7, 0, 0],
        _ => [0; HEIGHT],
    }
}

/// The capital without its accent, of the letters that the names of this crate use.
fn plain(letter: char) -> char {
    match letter.to_uppercase().next().unwrap_or(letter) {
        'Á' | 'À' | 'Ä' => 'A',
        'É' | 'È' | 'Ě' => 'E',
        'Í' => 'I',
        'Ñ' => 'N',
        'Ó' | 'Ò' | 'Ö' => 'O',
        'Ú' | 'Ü' | 'Ů' => 'U',
        'Č' => 'C',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::write;

    fn picture(text: &str) -> String {
        let mut rows = vec![vec!['.'; 4 * text.chars().count()]; 5];
        write(text, 1, |x, y| rows[y][x] = '#');
        rows.into_iter()
            .map(|row| row.into_iter().collect::<String>() + "\n")
            .collect()
    }

    #[test]
    fn text_becomes_dots() {
        assert_eq!(
            picture("É1"),
            "###..#..\n#...##..\n##...#..\n#....#..\n###.###.\n"
        );
    }
}
