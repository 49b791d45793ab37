-- Stage 40: mentions with their codes, as research rows: those of the words, and those
-- that a clinical document states in codes. What the sender calls a code stays behind.
--
-- In:  readings, deidentified, page_spans
-- Out: entities, display_disagreements, recognised_words (for the next stage)
-- Parameters: run_id

-- The words of which somebody only thinks that they read so.
create table recognised_words as
select document_id, "start" as word_start, "end" as word_end, confidence from page_spans where confidence is not null;

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
),
doubtful as (
    select f.document_id, f.mention['start'] as mention_start, f.mention['end'] as mention_end, min(w.confidence) as text_confidence
    from found f
    join recognised_words w on w.document_id = f.document_id
    where w.word_start < f.mention['end'] and w.word_end > f.mention['start']
    group by 1, 2, 3
)
select pseudonym('entity', f.document_id || ':' || mention['start'] || ':' || mention['end'] || ':' || coalesce(mention['concept'], mention['label'])) as entity_id,
       f.document_id,
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
       d.text_confidence,
       $run_id as run_id
from found f
left join doubtful d
       on d.document_id = f.document_id and d.mention_start = f.mention['start'] and d.mention_end = f.mention['end']
-- A part of a name or of a number is no mention.
where span['text'] is not null
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
       cast(null as float),
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
