//! A name in code that links to a source file, as ARCHITECTURE.md is full of, is declared in that file: a map must not
//! show streets that are gone.

use super::{
    Finding,
    files::{File, Tree},
};

/// What declares a name in Rust or TypeScript.
const DECLARATIONS: [&str; 7] = [
    "fn", "struct", "enum", "trait", "const", "function", "class",
];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let root_files = tree
        .with_extension("md")
        .filter(|file| !file.path.contains('/'));
    root_files.flat_map(|file| of_file(tree, file)).collect()
}

fn of_file(tree: &Tree, file: &File) -> Vec<Finding> {
    let named = file.lines().flat_map(|(line, text)| {
        named_links(text)
            .into_iter()
            .map(move |(name, target)| (line, name, target))
    });
    let gone = named.filter(|(_, name, target)| !is_declared(tree, name, target));
    gone.map(|(line, name, target)| {
        let message = format!("{target} does not declare `{name}`: find where it went");
        Finding::line(&file.path, line, message)
    })
    .collect()
}

/// Pairs of name and target of links whose text is code and whose target is a source file.
fn named_links(line: &str) -> Vec<(&str, &str)> {
    let parts = line.split("[`").skip(1);
    let pairs = parts.filter_map(|part| {
        let (name, rest) = part.split_once("`](")?;
        let (target, _) = rest.split_once(')')?;
        (target.ends_with(".rs") || target.ends_with(".ts")).then_some((name, target))
    });
    pairs.collect()
}

fn is_declared(tree: &Tree, name: &str, target: &str) -> bool {
    let is_the_file = target.ends_with(&format!("/{name}"));
    let declares = |file: &File| {
        DECLARATIONS.iter().any(|word| {
            let declaration = format!("{word} {name}");
            file.text.match_indices(&declaration).any(|(at, _)| {
                let next = file.text[at + declaration.len()..].chars().next();
                next.is_none_or(|next| !next.is_alphanumeric() && next != '_')
            })
        })
    };
    is_the_file || tree.file(target).is_some_and(declares)
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::files::Tree;

    fn found(text: &str) -> usize {
        let source = "//! A.\npub(crate) fn walk_on() {}\npub struct Pack;\n";
        check(&Tree::of(&[("A.md", text), ("src/a.rs", source)])).len()
    }

    #[test]
    fn a_name_must_be_where_its_link_leads() {
        assert_eq!(found("[`walk_on`](src/a.rs) and [`Pack`](src/a.rs)"), 0);
        assert_eq!(found("[`a.rs`](src/a.rs) and [words](src/a.rs)"), 0);
        assert_eq!(
            found("[`walk`](src/a.rs)"),
            1,
            "part of a name is another name"
        );
        assert_eq!(found("[`Pack`](src/a.rs) [`Gone`](src/a.rs)"), 1);
    }
}
