-- Stage 40: mentions with their codes, as research rows.
--
-- In:  mentions
-- Out: entities
-- Parameters: run_id

create table entities as
select pseudonym('entity', document_id || ':' || mention['start'] || ':' || mention['end'] || ':' || mention['concept']) as entity_id,
       document_id,
       patient_id,
       encounter_id,
       shift_days(document_time, date_shift_days) as document_time,
       -- Offsets in the de-identified text; there is none yet.
       cast(null as int) as start,
       cast(null as int) as "end",
       mention['start'] as source_start,
       mention['end'] as source_end,
       mention['text'] as text,
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
from mentions;
