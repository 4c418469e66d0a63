//! Invented people of eight scripts, with the character set that their hospital uses.

/// A person as the hospital knows them.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    /// (0008,0005).
    pub(crate) charset: &'static str,
    pub(crate) family: &'static str,
    pub(crate) given: &'static str,
    pub(crate) doctor: &'static str,
    pub(crate) city: &'static str,
    pub(crate) id: &'static str,
    pub(crate) accession: &'static str,
    pub(crate) birth: &'static str,
    pub(crate) date: &'static str,
    pub(crate) phone: &'static str,
    /// The day of birth as somebody types it.
    pub(crate) spelled: &'static str,
    pub(crate) age: &'static str,
    /// What the key wants of the age.
    pub(crate) age_key: &'static str,
}

pub(crate) fn people() -> Vec<Person> {
    let person = |charset, family, given, doctor, city| Person {
        charset,
        family,
        given,
        doctor,
        city,
        id: "MRN0412377",
        accession: "88412345",
        birth: "19520417",
        date: "20200318",
        phone: "+39-055-771234",
        spelled: "17.04.1952",
        age: "067Y",
        age_key: "kept",
    };
    vec![
        person("ISO_IR 100", "Müller", "Jürgen", "Schäfer", "Köln"),
        Person {
            id: "0771-44-19",
            accession: "A99120077",
            birth: "19260102",
            date: "20191127",
            phone: "089 7712345",
            spelled: "2 January 1926",
            age: "093Y",
            age_key: "is 090Y",
            ..person("ISO_IR 101", "Wiśniewska", "Łucja", "Dvořák", "Łódź")
        },
        Person {
            id: "П-4471923",
            spelled: "17/04/1952",
            ..person("ISO_IR 144", "Кузнецова", "Надежда", "Соловьёв", "Новгород")
        },
        Person {
            id: "ΑΒ771239",
            spelled: "1952-04-17",
            ..person(
                "ISO_IR 126",
                "Παπαδοπούλου",
                "Ελένη",
                "Γεωργίου",
                "Θεσσαλονίκη",
            )
        },
        Person {
            id: "MRN-991-23",
            ..person("ISO_IR 192", "O'Donoghue", "Siobhán", "Ngọc", "Ærøskøbing")
        },
        Person {
            id: "JP-7712399",
            ..person("\\ISO 2022 IR 87", "山田", "太郎", "鈴木", "横浜市")
        },
        Person {
            id: "KR-7712399",
            ..person("\\ISO 2022 IR 149", "김희", "중수", "박민", "서울특별시")
        },
        Person {
            id: "CN-7712399",
            spelled: "17 Apr 1952",
            ..person("GB18030", "王小", "东明", "李雷", "上海市")
        },
    ]
}

impl Person {
    /// The name in the form of PN.
    pub(crate) fn name(&self) -> String {
        format!("{}^{}", self.family, self.given)
    }

    /// A template with the person's values in it.
    pub(crate) fn filled(&self, template: &str, uids: &[(&str, String)]) -> String {
        let mut text = template.to_owned();
        let name = self.name();
        let doctor = format!("{}^Alex", self.doctor);
        let fields = [
            ("{family}", self.family),
            ("{given}", self.given),
            ("{name}", &name),
            ("{doctor}", &doctor),
            ("{doctorword}", self.doctor),
            ("{city}", self.city),
            ("{id}", self.id),
            ("{accession}", self.accession),
            ("{birth}", self.birth),
            ("{date}", self.date),
            ("{phone}", self.phone),
            ("{spelled}", self.spelled),
            ("{age}", self.age),
        ];
        for (field, value) in fields {
            text = text.replace(field, value);
        }
        for (field, uid) in uids {
            text = text.replace(field, uid);
        }
        text
    }

    /// All that may be found nowhere in a result.
    pub(crate) fn secrets(&self) -> Vec<&str> {
        vec![
            self.family,
            self.given,
            self.doctor,
            self.city,
            self.id,
            self.accession,
            self.birth,
            self.phone,
            self.spelled,
        ]
    }
}
