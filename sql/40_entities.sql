-- Stage 40: mentions with their codes, as research rows.
--
-- In:  deidentified
-- Out: entities
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
)
select pseudonym('entity', document_id || ':' || mention['start'] || ':' || mention['end'] || ':' || coalesce(mention['concept'], mention['label'])) as entity_id,
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
       case when mention['concept'] is not null then mention['score'] end as code_score,
       mention['detector'] as detector,
       mention['score'] as detector_score,
       shift_days(mention['event_time'], date_shift_days) as event_time,
       $run_id as run_id
from found;
