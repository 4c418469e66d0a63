//! Invented people and hospital staff: what de-identification has to find and remove. Nobody here exists; sex and age
//! are the real ones where the public record of LIDC-IDRI has them (about a fifth of the patients) and invented else.

use chrono::{Days, Months, NaiveDate};
use rand::RngExt;
use rand::seq::{IndexedRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;

use crate::data::{SeriesRecord, Sex};
use crate::site::SiteSpec;
use crate::stable;

/// Words of a site's language for invented people.
struct Locale {
    charset: &'static str,
    family: &'static [&'static str],
    /// Family name of a woman whose father or husband has `family[i]`; empty where the two are the same.
    family_female: &'static [&'static str],
    given_female: &'static [&'static str],
    given_male: &'static [&'static str],
    streets: &'static [&'static str],
    phone: &'static str,
    /// History text; `{name}`, `{birth}`, `{date}`, `{physician}` are filled in.
    history: &'static str,
    /// Comment text, likewise.
    comment: &'static str,
}

/// One per site, in the order of `SITES`, found by its key.
const LOCALES: [(&str, Locale); 3] = [
    (
        "aurora",
        Locale {
            charset: "ISO_IR 100",
            family: &[
                "Müller",
                "Grünwald",
                "Jäger",
                "Höllerer",
                "Weiß",
                "Krämer",
                "Schönauer",
                "Köberl",
                "Pürstinger",
                "Reisinger",
                "Öttl",
                "Fürnkranz",
            ],
            family_female: &[],
            given_female: &[
                "Käthe",
                "Brünhilde",
                "Jörgine",
                "Annemarie",
                "Roswitha",
                "Elfriede",
                "Bärbel",
                "Margarete",
            ],
            given_male: &[
                "Jörg", "Günther", "Björn", "Franz", "Rüdiger", "Alois", "Götz", "Leopold",
            ],
            streets: &[
                "Grazbachgasse",
                "Körösistraße",
                "Münzgrabenstraße",
                "Schönaugasse",
            ],
            phone: "+43 316 555",
            history: "{name}, geb. {birth}: Z.n. Nikotinabusus, Husten seit Wochen. Zuweisung durch {physician} am {date}.",
            comment: "Befund telefonisch an {physician} am {date}; {name} wünscht eine Kopie.",
        },
    ),
    (
        "borealis",
        Locale {
            charset: "ISO_IR 192",
            family: &[
                "Dvořák",
                "Růžička",
                "Kučera",
                "Němec",
                "Šťastný",
                "Křížek",
                "Žák",
                "Bílý",
                "Čermák",
                "Hájek",
            ],
            family_female: &[
                "Dvořáková",
                "Růžičková",
                "Kučerová",
                "Němcová",
                "Šťastná",
                "Křížková",
                "Žáková",
                "Bílá",
                "Čermáková",
                "Hájková",
            ],
            given_female: &[
                "Božena",
                "Zdeňka",
                "Jiřina",
                "Alžběta",
                "Věra",
                "Růžena",
                "Ludmila",
                "Květoslava",
            ],
            given_male: &[
                "Jiří", "Ondřej", "Zdeněk", "Tomáš", "Vojtěch", "Řehoř", "Matěj", "Čeněk",
            ],
            streets: &["Údolní", "Křenová", "Štefánikova", "Lidická"],
            phone: "+420 555010",
            history: "{name}, nar. {birth}: dušnost, kuřák. Odeslal {physician} dne {date}.",
            comment: "Výsledek předán {physician} dne {date}, {name} souhlasí s kontrolou.",
        },
    ),
    (
        "celeste",
        Locale {
            charset: "ISO_IR 100",
            family: &[
                "Núñez Ibáñez",
                "Peña García",
                "López Martí",
                "Gómez Cañete",
                "Sánchez Ruíz",
                "Muñoz Vélez",
                "Jiménez Àvila",
                "Martínez Solà",
                "Hernández Güell",
                "Fernández Ribó",
            ],
            family_female: &[],
            given_female: &[
                "Begoña",
                "María José",
                "Núria",
                "Concepción",
                "Inés",
                "Lucía",
                "Rocío",
                "Ángela",
            ],
            given_male: &[
                "José",
                "Iñaki",
                "Ramón",
                "Joaquín",
                "Andrés",
                "Àlex",
                "Íñigo",
                "Sebastián",
            ],
            streets: &[
                "Calle de Cádiz",
                "Avenida del Puerto",
                "Calle Játiva",
                "Plaza de España",
            ],
            phone: "+34 960 555",
            history: "{name}, nacido/a el {birth}: tos y pérdida de peso. Remite {physician} el {date}.",
            comment: "Resultado comunicado a {physician} el {date}; {name} pide copia del informe.",
        },
    ),
];

/// First day an invented study may have, and how many days follow.
const FIRST_STUDY: (i32, u32, u32) = (2019, 1, 7);
const STUDY_DAYS: u64 = 1900;
/// Ages invented for patients without a public age, in years.
const INVENTED_AGES: std::ops::RangeInclusive<u16> = 38..=84;
/// The first hospital number; numbers rise from it in uneven steps.
const FIRST_NUMBER: u32 = 100_000;

/// An invented person with an invented visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Specific Character Set (0008,0005) for the texts below.
    pub(crate) charset: &'static str,
    /// Patient ID (0010,0020).
    pub(crate) hospital_number: String,
    pub(crate) other_number: String,
    /// `Family^Given` as in a DICOM PN.
    pub(crate) name: String,
    pub(crate) sex: Sex,
    pub(crate) age_years: u16,
    pub(crate) birth: NaiveDate,
    pub(crate) study: NaiveDate,
    /// Hour, minute and second at which the study began.
    pub(crate) study_time: (u32, u32, u32),
    pub(crate) address: String,
    pub(crate) phone: String,
    pub(crate) referring_physician: String,
    pub(crate) operator: String,
    pub(crate) accession: String,
    pub(crate) history: String,
    pub(crate) comment: String,
}

/// One hospital number for each patient of a site, in the order of `patients`: unique, and without the order or any
/// part of the original ids.
pub(crate) fn hospital_numbers(site: &SiteSpec, seed: u64, patients: usize) -> Vec<String> {
    let mut rng = stable::rng(seed, &["hospital numbers", site.key]);
    let prefix = site.key[..3].to_ascii_uppercase();
    let mut next = FIRST_NUMBER;
    let mut numbers: Vec<String> = (0..patients)
        .map(|_| {
            next += rng.random_range(1..97);
            format!("{prefix}{next}")
        })
        .collect();
    numbers.shuffle(&mut rng);
    numbers
}

impl Identity {
    /// The person that this patient is at this site. `series` gives sex and age where they are known.
    pub(crate) fn invent(site: &SiteSpec, seed: u64, number: &str, series: &SeriesRecord) -> Self {
        let rng = &mut stable::rng(seed, &["identity", site.key, &series.patient]);
        let locale = locale(site);
        let sex = series.sex.unwrap_or_else(|| *pick(rng, &[Sex::F, Sex::M]));
        let age_years = series
            .age
            .unwrap_or_else(|| rng.random_range(INVENTED_AGES));
        let (study, birth) = dates(rng, age_years);
        let name = locale.name(rng, sex);
        let physician_sex = *pick(rng, &[Sex::F, Sex::M]);
        let referring_physician = format!("{}^^Dr.", locale.name(rng, physician_sex));
        let fill = |text: &str| {
            text.replace("{name}", &spoken(&name))
                .replace("{physician}", &spoken(&referring_physician))
                .replace("{birth}", &birth.format("%d.%m.%Y").to_string())
                .replace("{date}", &study.format("%d.%m.%Y").to_string())
        };
        Self {
            charset: locale.charset,
            hospital_number: number.to_owned(),
            other_number: format!(
                "SV{}{:04}",
                birth.format("%d%m%y"),
                rng.random_range(0..10_000)
            ),
            sex,
            age_years,
            birth,
            study,
            study_time: (
                rng.random_range(7..19),
                rng.random_range(0..60),
                rng.random_range(0..60),
            ),
            address: format!(
                "{} {}, {}",
                pick(rng, locale.streets),
                rng.random_range(1..120),
                site.city
            ),
            phone: format!("{} {:04}", locale.phone, rng.random_range(0..10_000)),
            operator: locale.name(rng, Sex::F),
            accession: format!("A{}", rng.random_range(10_000_000..100_000_000_u32)),
            history: fill(locale.history),
            comment: fill(locale.comment),
            name,
            referring_physician,
        }
    }

    /// The name as people write it: given name first.
    pub(crate) fn spoken_name(&self) -> String {
        spoken(&self.name)
    }
}

impl Locale {
    fn name(&self, rng: &mut ChaCha8Rng, sex: Sex) -> String {
        let (family, given) = match sex {
            Sex::F if !self.family_female.is_empty() => (self.family_female, self.given_female),
            Sex::F => (self.family, self.given_female),
            Sex::M => (self.family, self.given_male),
        };
        format!("{}^{}", pick(rng, family), pick(rng, given))
    }
}

fn locale(site: &SiteSpec) -> &'static Locale {
    let found = LOCALES.iter().find(|(key, _)| *key == site.key);
    // A site of another make speaks like the first one.
    &found.unwrap_or(&LOCALES[0]).1
}

fn pick<'a, T>(rng: &mut ChaCha8Rng, list: &'a [T]) -> &'a T {
    list.choose(rng).expect("the lists above are not empty")
}

/// A study day, and a birthday so that the patient is `age_years` old on it.
fn dates(rng: &mut ChaCha8Rng, age_years: u16) -> (NaiveDate, NaiveDate) {
    let (year, month, day) = FIRST_STUDY;
    let first = NaiveDate::from_ymd_opt(year, month, day).expect("a day of the calendar");
    let study = first + Days::new(rng.random_range(0..STUDY_DAYS));
    let birthday = study - Months::new(u32::from(age_years) * 12);
    (study, birthday - Days::new(rng.random_range(0..364)))
}

/// `Family^Given^^Dr.` → `Dr. Given Family`.
fn spoken(name: &str) -> String {
    let mut parts = name.split('^');
    let (family, given, prefix) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
        parts.nth(1).unwrap_or_default(),
    );
    format!("{prefix} {given} {family}").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Identity, hospital_numbers, spoken};
    use crate::data;
    use crate::site::SITES;

    #[test]
    fn names_are_spoken_with_the_given_name_first() {
        assert_eq!(spoken("Müller^Käthe"), "Käthe Müller");
        assert_eq!(spoken("Dvořák^Jiří^^Dr."), "Dr. Jiří Dvořák");
    }

    #[test]
    fn hospital_numbers_are_unique() {
        let numbers = hospital_numbers(&SITES[0], 1, 669);
        assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), 669);
    }

    #[test]
    fn invented_people_are_as_old_as_they_should_be() {
        for series in data::series().unwrap() {
            let person = Identity::invent(&SITES[1], 7, "BOR1", &series);
            assert_eq!(
                person.study.years_since(person.birth),
                Some(u32::from(person.age_years))
            );
            assert!(series.age.is_none_or(|age| age == person.age_years));
            assert!(series.sex.is_none_or(|sex| sex == person.sex));
            assert!(
                person.history.contains(&person.spoken_name()) && !person.history.contains('{')
            );
        }
    }
}
