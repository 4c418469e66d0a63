//! Condition: a cancer, primary or secondary (mCODE Primary and Secondary Cancer Condition). Other diseases are left out, since a patient's
//! days are counted from the first diagnosis that is there.

use arno_domain::model::{CodeSystem, Entity, Value};

use super::{
    codes::{ASSERTED_DATE, MCODE},
    element::{Concept, Found, Node, When, system},
    reader::{Reader, Resource},
    resolve::Target,
    sketch::{Parent, Sketch},
    values::Origin,
};

pub(super) fn read(reader: &mut Reader<'_>, resource: &Resource<'_>) {
    let node = &resource.node;
    let mut disease = reader
        .take(resource, node.concept("code"))
        .unwrap_or_default();
    let sites = reader.list(resource, node.objects("bodySite"));
    let sites_coded = sites.iter().map(Node::as_concept).collect();
    let sites_coded = reader.list(resource, sites_coded);
    let primary = is_primary(node);
    if !is_cancer(&disease, &sites_coded) && primary.is_none() && resource.origin == Origin::Foreign
    {
        return reader.left_out(resource.spot.place, "Condition that is no cancer");
    }
    let Some(mut sketch) = reader.sketch(resource, Entity::Diagnosis) else {
        return;
    };
    morphology(reader, resource, &mut disease, &mut sketch);
    if resource.origin == Origin::Foreign {
        // A topography is the disease where the code says no more than SNOMED CT does.
        let sites = sites_coded.iter().flat_map(|site| site.codings.clone());
        disease
            .codings
            .extend(sites.filter(|coding| system_of(coding) == Some(CodeSystem::IcdO3)));
        if let Some(text) = &disease.text {
            sketch.know("cancer_type", Value::Words(super::values::clip(text)));
        }
    }
    if !disease.codings.is_empty() || disease.text.is_some() {
        reader.code(resource, &mut sketch, "diagnosis", &disease);
    }
    if let Some(primary) = primary {
        sketch.know("primary_tumour", Value::Flag(primary));
    }
    laterality(reader, resource, &sites, &mut sketch);
    basis(reader, resource, &mut sketch);
    onset(reader, resource, &mut sketch);
    reader.own_fields(resource, node, &mut sketch);
    stage_summary(reader, resource, &sketch);
    reader.all.targets[resource.target] = Target::Record(Entity::Diagnosis, sketch.key.clone());
    reader.all.sketches.push(sketch);
}

fn system_of(coding: &super::element::Coding) -> Option<CodeSystem> {
    system(coding).map(|(system, _)| system)
}

/// As the profile says; nothing where there is none.
fn is_primary(node: &Node<'_>) -> Option<bool> {
    let meta = node.object("meta").ok().flatten()?;
    let profiles = meta.map.get("profile")?.as_array()?;
    let mut profiles = profiles.iter().filter_map(|profile| profile.as_str());
    profiles.find_map(|profile| {
        let rest = profile.strip_prefix(MCODE)?;
        match rest.split('|').next()? {
            "primary-cancer-condition" => Some(true),
            "secondary-cancer-condition" => Some(false),
            _ => None,
        }
    })
}

/// A neoplasm by ICD-10 (C00-D48), or anything of ICD-O-3.
pub(super) fn is_cancer(disease: &Concept, sites: &[Concept]) -> bool {
    let mut codings = disease
        .codings
        .iter()
        .chain(sites.iter().flat_map(|site| &site.codings));
    codings.any(|coding| match system_of(coding) {
        Some(CodeSystem::IcdO3) => true,
        Some(CodeSystem::Icd10) => {
            let code = coding.code.as_str();
            let category = code.get(1..3).and_then(|digits| digits.parse::<u32>().ok());
            code.starts_with('C') || code.starts_with('D') && category.is_some_and(|at| at <= 48)
        }
        _ => false,
    })
}

/// From its extension; a code of ICD-O-3 with a slash is a morphology wherever it stands.
fn morphology(
    reader: &mut Reader<'_>,
    resource: &Resource<'_>,
    disease: &mut Concept,
    sketch: &mut Sketch,
) {
    let url = format!("{MCODE}histology-morphology-behavior");
    let extension = reader.take(resource, resource.node.extension(&url));
    let stated =
        extension.and_then(|node| reader.take(resource, node.concept("valueCodeableConcept")));
    let (shapes, rest) = std::mem::take(&mut disease.codings)
        .into_iter()
        .partition(|coding| {
            resource.origin == Origin::Foreign
                && system_of(coding) == Some(CodeSystem::IcdO3)
                && coding.code.contains('/')
        });
    disease.codings = rest;
    let implied = Concept {
        path: disease.path.clone(),
        codings: shapes,
        text: None,
    };
    if let Some(concept) = stated.or((!implied.codings.is_empty()).then_some(implied)) {
        reader.code(resource, sketch, "morphology", &concept);
    }
}

fn laterality(
    reader: &mut Reader<'_>,
    resource: &Resource<'_>,
    sites: &[Node<'_>],
    sketch: &mut Sketch,
) {
    let url = format!("{MCODE}laterality-qualifier");
    for site in sites {
        let extension = reader.take(resource, site.extension(&url));
        let concept =
            extension.and_then(|node| reader.take(resource, node.concept("valueCodeableConcept")));
        if let Some(concept) = concept {
            return reader.code(resource, sketch, "laterality", &concept);
        }
    }
}

/// The first evidence counts: mCODE has the most invasive one first.
fn basis(reader: &mut Reader<'_>, resource: &Resource<'_>, sketch: &mut Sketch) {
    let evidence = reader.list(resource, resource.node.objects("evidence"));
    let Some(first) = evidence.first() else {
        return;
    };
    let codes = reader.list(resource, first.concepts("code"));
    if let Some(concept) = codes.first() {
        reader.code(resource, sketch, "diagnosis_basis", concept);
    }
}

fn onset(reader: &mut Reader<'_>, resource: &Resource<'_>, sketch: &mut Sketch) {
    match reader.take(resource, diagnosed(&resource.node)) {
        Some(When::Year(year)) => sketch.know("diagnosis_year", Value::Number(f64::from(year))),
        Some(when) => sketch.when("diagnosis_date", when),
        None => {}
    }
    if let Some(age) = reader.take(resource, resource.node.quantity("onsetAge"))
        && let Ok(field) = "age_at_diagnosis".parse()
        && let Some((content, source)) = reader.take(resource, super::values::number(field, &age))
    {
        sketch.say("age_at_diagnosis", content, source);
    }
}

/// When it was asserted, else when it began, else when it was written down.
fn diagnosed(node: &Node<'_>) -> Found<When> {
    if let Some(asserted) = node.extension(ASSERTED_DATE)?
        && let Some(when) = asserted.when("valueDateTime")?
    {
        return Ok(Some(when));
    }
    match node.begin("onsetDateTime", "onsetPeriod")? {
        Some(when) => Ok(Some(when)),
        None => node.when("recordedDate"),
    }
}

/// A stage that is told in a summary alone, without observations.
fn stage_summary(reader: &mut Reader<'_>, resource: &Resource<'_>, diagnosis: &Sketch) {
    for stage in reader.list(resource, resource.node.objects("stage")) {
        let assessed = reader.list(resource, stage.objects("assessment"));
        let summary = reader.take(resource, stage.concept("summary"));
        let Some(summary) = summary.filter(|_| assessed.is_empty()) else {
            continue;
        };
        let Some(mut sketch) = reader.sketch(resource, Entity::Stage) else {
            return;
        };
        sketch.parent = Parent::Key(diagnosis.key.clone());
        reader.code(resource, &mut sketch, "stage_group", &summary);
        return reader.all.sketches.push(sketch);
    }
}
