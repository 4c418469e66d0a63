//! What must never be published by mistake: paths of somebody's machine, hosts of a package registry, large files
//! without a licence. The patterns are put together here so that this file does not find itself.

use super::{
    Finding,
    files::{File, Tree},
};

/// Folders that only exist on the machine where something was written.
const MACHINE_FOLDERS: [&str; 5] = [
    concat!("/wo", "rk/"),
    concat!("/fa", "rm/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/tmp", "/w/"),
];

/// Which registry is asked is a matter of each machine's own settings.
const REGISTRY_HOSTS: [&str; 7] = [
    concat!("registry.", "npmjs.org"),
    concat!("static.", "crates.io"),
    concat!("index.", "crates.io"),
    concat!("pypi", ".org/simple"),
    concat!("files.", "pythonhosted.org"),
    concat!("proxy.", "golang.org"),
    concat!("/arti", "factory/"),
];

/// A file larger than this is listed below, with the right to redistribute it.
const MAX_BYTES: u64 = 1_500_000;
/// Path, and licence.
const LARGE: [(&str, &str); 0] = [];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings: Vec<_> = tree.files.iter().flat_map(of_file).collect();
    findings.extend(tree.files.iter().filter_map(|file| size(file, &LARGE)));
    findings.extend(tree.files.iter().flat_map(sources));
    findings
}

fn of_file(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in file.lines() {
        let folder = MACHINE_FOLDERS
            .iter()
            .find(|folder| stands_alone(line, folder));
        findings.extend(
            folder.map(|_| Finding::line(&file.path, number, "names a path of one machine")),
        );
        let host = REGISTRY_HOSTS.iter().find(|host| line.contains(**host));
        findings.extend(
            host.map(|_| Finding::line(&file.path, number, "names the host of a package registry")),
        );
    }
    findings
}

/// Whether the folder is the beginning of a path, not a part of one.
fn stands_alone(line: &str, folder: &str) -> bool {
    let goes_on = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    line.match_indices(folder)
        .any(|(start, _)| !line[..start].ends_with(goes_on))
}

fn size(file: &File, large: &[(&str, &str)]) -> Option<Finding> {
    let listed = large.iter().any(|(path, _)| *path == file.path);
    let message = format!(
        "has {} bytes: is it needed, and under which licence? Then list it",
        file.size_bytes
    );
    (file.size_bytes > MAX_BYTES && !listed).then(|| Finding::at(&file.path, message))
}

/// Lock files and settings that say where packages come from.
fn sources(file: &File) -> Vec<Finding> {
    let name = file.path.rsplit('/').next().unwrap_or_default();
    let (marks, message): (&[&str], _) = match name {
        "package-lock.json" => (
            &["\"resolved\": \"http"],
            "says where a package was fetched; take `resolved` out",
        ),
        "config.toml" => (
            &["[source", "[registries", "[registry"],
            "sets a package registry for everybody",
        ),
        ".npmrc" => (&["registry="], "sets a package registry for everybody"),
        _ => (&[], ""),
    };
    let lines = file
        .lines()
        .filter(|(_, line)| marks.iter().any(|mark| line.contains(mark)));
    lines
        .map(|(number, _)| Finding::line(&file.path, number, message))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{MAX_BYTES, of_file, size, sources};
    use crate::tidy::files::{File, Tree};

    fn file(path: &str, text: &str) -> File {
        Tree::of(&[(path, text)]).files.remove(0)
    }

    fn check_line(line: &str, expect: usize) {
        assert_eq!(of_file(&file("a.md", line)).len(), expect, "{line}");
    }

    #[test]
    fn paths_and_hosts_are_found_where_they_begin() {
        check_line(concat!("see /wo", "rk/main/README"), 1);
        check_line(concat!("(/ro", "ot/.cargo)"), 1);
        check_line(concat!("net", "/wo", "rk/main"), 0);
        check_line("cd crates/store", 0);
        check_line(concat!("from https://registry.", "npmjs.org/x"), 1);
    }

    #[test]
    fn lock_files_say_what_not_where() {
        let locked =
            "  \"resolved\": \"https://example.org/a.tgz\",\n  \"integrity\": \"sha512-\"\n";
        assert_eq!(sources(&file("web/package-lock.json", locked)).len(), 1);
        assert_eq!(sources(&file("web/package.json", locked)).len(), 0);
        assert_eq!(
            sources(&file(".cargo/config.toml", "[registries.x]\n")).len(),
            1
        );
    }

    #[test]
    fn a_large_file_is_listed_with_its_licence() {
        let large = File {
            path: "a.gz".to_owned(),
            size_bytes: MAX_BYTES + 1,
            text: String::new(),
        };
        assert!(size(&large, &[]).is_some());
        assert!(size(&large, &[("a.gz", "CC BY 3.0")]).is_none());
    }
}
