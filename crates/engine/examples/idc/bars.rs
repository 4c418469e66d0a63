//! The panel as a node asks it: patients alone, by values that many have, each patient in a few of them.

use std::collections::BTreeMap;

use anyhow::ensure;
use arno_engine::{CellValue, Choose, Listing, Matched, Panel};

use crate::{
    load::Loaded,
    panel::{FACETS, INSTANCES, filters},
};

/// Values that are listed, of so many patients each; as `arno_domain::manifest` has it.
const LISTED_FROM: u64 = 20;
const MAX_LISTED: usize = 64;
/// Values of one facet with which a patient counts at most; as `arno_domain::disclosure` has it.
const MOST: u32 = 4;

/// The listings of facets of words, made once.
pub(crate) type Listings = BTreeMap<&'static str, (Vec<String>, Listing)>;

pub(crate) fn listings(loaded: &Loaded) -> Listings {
    let words = FACETS.iter().filter(|name| **name != "instanceCount");
    let listing = |name: &&'static str| {
        let column = loaded.columns[*name];
        let mut many = loaded.index.patients_by_word(column);
        many.retain(|(_, patients)| *patients >= LISTED_FROM);
        many.sort_by_key(|(_, patients)| std::cmp::Reverse(*patients));
        let listed = many.into_iter().take(MAX_LISTED);
        let words: Vec<_> = listed.map(|(word, _)| word.to_owned()).collect();
        let listing = loaded.index.listing(column, &words);
        (*name, (words, listing))
    };
    words.map(listing).collect()
}

/// The bars of each facet.
pub(crate) fn ask(loaded: &Loaded, listings: &Listings, most: u32) -> Vec<Vec<u64>> {
    let index = &loaded.index;
    let each = filters(loaded).map(|(name, question)| (name, index.matched(&question)));
    let all = |lifted: Option<&str>| {
        let mut kept = each.iter().filter(|(name, _)| Some(*name) != lifted);
        let first = kept.next().map(|(_, matched)| matched.clone());
        let both = |mut all: Matched, (_, other): &(&str, Matched)| {
            all.and(other);
            all
        };
        first.map(|first| index.selection(kept.fold(first, both)))
    };
    let Some(whole) = all(None) else {
        return Vec::new();
    };
    let bars = |name: &&str| match listings.get(name) {
        None => {
            let column = loaded.columns[*name];
            index.patients_in_steps(&whole, column, &INSTANCES, Choose::Greatest)
        }
        Some((_, listing)) => {
            let is_filtered = each.iter().any(|(of, _)| of == name);
            let lifted = is_filtered.then(|| all(Some(*name))).flatten();
            index.patients_by(lifted.as_ref().unwrap_or(&whole), listing, most)
        }
    };
    FACETS.iter().map(bars).collect()
}

/// As many values as a node allows. A function of its own in the program, so that a profiler finds it by its name.
#[inline(never)]
pub(crate) fn ask_as_a_node(loaded: &Loaded, listings: &Listings) -> Vec<Vec<u64>> {
    ask(loaded, listings, MOST)
}

/// Without a limit of values they are the patients of the panel.
pub(crate) fn check(loaded: &Loaded, listings: &Listings, panel: &Panel<'_>) -> anyhow::Result<()> {
    let found = ask(loaded, listings, u32::MAX);
    for ((name, bars), cells) in FACETS.iter().zip(found).zip(&panel.facets) {
        let Some((words, _)) = listings.get(name) else {
            continue;
        };
        let of = |word: &String| {
            let has = |value| matches!(value, CellValue::Word(other) if other == word);
            let cell = cells.iter().find(|cell| has(cell.value));
            cell.map_or(0, |cell| cell.counts.patients)
        };
        let expect: Vec<_> = words.iter().map(of).collect();
        ensure!(bars == expect, "the bars of {name} are not the panel's");
    }
    Ok(())
}
