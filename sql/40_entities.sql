-- Stage 40: mentions with their codes, as research rows: those of the words, and those
-- that a clinical document states in codes. What the sender calls a code stays behind.
--
-- In:  readings, deidentified
-- Out: entities, display_disagreements
-- Parameters: run_id

create table entities as
with found as (
    select document_id,
           patient_id,
           encounter_id,
           document_time,
           date_shift_days,
           unnest(reading['mentions']) as mention,
           unnest(safe['mention_spans']) as span
    from deidentified
    where safe['leak'] is null
),
coded as (
    select document_id,
           patient_id,
           encounter_id,
           document_time,
           date_shift_days,
           unnest(entries['entities']) as entity,
           unnest(safe['coded_entity_spans']) as span
    from deidentified
    where safe['leak'] is null
)
select pseudonym('entity', document_id || ':' || mention['start'] || ':' || mention['end'] || ':' || mention['concept']) as entity_id,
       document_id,
       patient_id,
       encounter_id,
       shift_days(document_time, date_shift_days) as document_time,
       span['start'] as start,
       span['end'] as "end",
       mention['start'] as source_start,
       mention['end'] as source_end,
       span['text'] as text,
       mention['label'] as label,
       mention['section'] as section,
       mention['negated'] as negated,
       mention['hypothetical'] as hypothetical,
       mention['historical'] as historical,
       mention['experiencer'] as experiencer,
       mention['snomed_code'] as snomed_code,
       mention['snomed_display'] as snomed_display,
       mention['icd10_code'] as icd10_code,
       mention['icd10_display'] as icd10_display,
       mention['atc_code'] as atc_code,
       mention['atc_display'] as atc_display,
       mention['score'] as code_score,
       'lexicon:' || mention['concept'] as detector,
       mention['score'] as detector_score,
       shift_days(mention['event_time'], date_shift_days) as event_time,
       $run_id as run_id
from found
union all
select pseudonym('entity', document_id || ':cda-entry:' || entity['entry'] || ':'
                     || coalesce(entity['snomed_code'], '') || ':' || coalesce(entity['icd10_code'], '') || ':' || coalesce(entity['atc_code'], '')),
       document_id,
       patient_id,
       encounter_id,
       shift_days(document_time, date_shift_days),
       span['start'],
       span['end'],
       entity['start'],
       entity['end'],
       span['text'],
       entity['label'],
       entity['section'],
       entity['negated'],
       entity['hypothetical'],
       entity['historical'],
       entity['experiencer'],
       entity['snomed_code'],
       entity['snomed_display'],
       entity['icd10_code'],
       entity['icd10_display'],
       entity['atc_code'],
       entity['atc_display'],
       cast(1 as float),
       'cda-entry',
       cast(1 as float),
       shift_days(entity['event_time'], date_shift_days),
       $run_id
from coded;

create table display_disagreements as
select document_id,
       document_version,
       patient_id,
       disagreement['entry'] as entry,
       disagreement['system'] as system,
       disagreement['code'] as code,
       disagreement['expected'] as expected,
       disagreement['display'] as display,
       $run_id as run_id
from (select document_id, document_version, patient_id, unnest(entries['disagreements']) as disagreement from readings);
