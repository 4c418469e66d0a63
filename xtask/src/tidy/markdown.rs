//! The little of Markdown that the rules need: fenced blocks, headings and their anchors, links, rows of tables.

/// The text of the first fenced block that opens with exactly this line.
pub(crate) fn block(text: &str, fence: &str) -> Option<String> {
    let mut lines = text.lines().skip_while(|line| line.trim_end() != fence);
    lines.next()?;
    Some(
        lines
            .take_while(|line| !line.starts_with("```"))
            .map(|line| format!("{line}\n"))
            .collect(),
    )
}

/// Lines outside of fenced blocks, from 1, with what stands in backticks taken out.
pub(crate) fn prose(text: &str) -> Vec<(usize, String)> {
    let mut fenced = false;
    let mut prose = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            prose.push((number, line.split('`').step_by(2).collect()));
        }
    }
    prose
}

/// Targets of links and images, in text, as definitions, and in HTML, each with its line.
pub(crate) fn links(text: &str) -> Vec<(usize, String)> {
    let mut links = Vec::new();
    for (number, line) in prose(text) {
        let inline = line
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split([')', ' ']).next());
        let html = ["src=\"", "href=\""]
            .iter()
            .flat_map(|name| line.split(name).skip(1));
        let html = html.filter_map(|rest| rest.split('"').next());
        let definition = line
            .strip_prefix('[')
            .and_then(|rest| rest.split_once("]: "))
            .map(|(_, target)| target.trim());
        let targets = inline.chain(html).chain(definition);
        links.extend(targets.map(|target| (number, target.trim_matches(['<', '>']).to_owned())));
    }
    links
}

/// Anchors of the headings, as GitHub makes them: lower case, blanks as hyphens, punctuation dropped, doubles numbered.
pub(crate) fn anchors(text: &str) -> Vec<String> {
    let mut anchors: Vec<String> = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        fenced ^= line.trim_start().starts_with("```");
        let heading = line.trim_start_matches('#');
        if fenced || heading.len() == line.len() || !heading.starts_with(' ') {
            continue;
        }
        let anchor = anchor(heading.trim());
        let numbered = (1..).map(|number| format!("{anchor}-{number}"));
        let free = std::iter::once(anchor.clone())
            .chain(numbered)
            .find(|anchor| !anchors.contains(anchor));
        anchors.extend(free);
    }
    anchors
}

fn anchor(heading: &str) -> String {
    let kept = heading
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase)
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// Cells of the rows of all tables, without heads and rules, each with its line.
pub(crate) fn rows(text: &str) -> Vec<(usize, Vec<String>)> {
    let lines: Vec<&str> = text.lines().collect();
    let is_rule = |line: &&str| line.starts_with('|') && line.chars().all(|c| "|-: ".contains(c));
    let is_row = |index: usize| {
        let head = lines.get(index + 1).is_some_and(is_rule);
        lines[index].starts_with('|') && !is_rule(&lines[index]) && !head
    };
    let cells = |line: &str| {
        line.trim()
            .trim_matches('|')
            .split('|')
            .map(|cell| cell.trim().to_owned())
            .collect()
    };
    (0..lines.len())
        .filter(|index| is_row(*index))
        .map(|index| (index + 1, cells(lines[index])))
        .collect()
}

/// What stands in backticks.
pub(crate) fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[cfg(test)]
mod tests {
    use super::{anchors, block, links, quoted, rows};

    #[test]
    fn a_block_is_found_by_its_first_line() {
        let text = "```text\nno\n```\n```text edges\na → b\n```\nafter\n";
        assert_eq!(block(text, "```text edges").as_deref(), Some("a → b\n"));
        assert_eq!(block(text, "```json"), None);
    }

    #[test]
    fn links_stand_in_prose_only() {
        let text = "[a](b.md#c) and ![d](e.png \"t\") `[f](g)`\n```\n[h](i)\n```\n[j]: <k.md>\n<img src=\"l.png\">\n";
        let targets: Vec<_> = links(text)
            .into_iter()
            .map(|(line, target)| format!("{line} {target}"))
            .collect();
        assert_eq!(targets, ["1 b.md#c", "1 e.png", "5 k.md", "6 l.png"]);
    }

    #[test]
    fn anchors_are_those_of_the_forge() {
        let text = "# One word, and `code`!\n## Way of an image\n```\n# no heading\n```\n## Way of an image\n#tag\n";
        assert_eq!(
            anchors(text),
            ["one-word-and-code", "way-of-an-image", "way-of-an-image-1"]
        );
    }

    #[test]
    fn rows_have_neither_head_nor_rule() {
        let text = "| a | b |\n|---|---|\n| `x`, y | `z w` |\n";
        assert_eq!(
            rows(text),
            [(3, vec!["`x`, y".to_owned(), "`z w`".to_owned()])]
        );
        assert_eq!(quoted("`x`, y, `z w`"), ["x", "z w"]);
    }
}
