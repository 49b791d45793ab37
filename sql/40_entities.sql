-- Stage 40: mentions with their codes, as research rows.
--
-- In:  deidentified, page_spans
-- Out: entities, recognised_words (for the next stage)
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
doubtful as (
    select f.document_id, f.mention['start'] as mention_start, f.mention['end'] as mention_end, min(w.confidence) as text_confidence
    from found f
    join recognised_words w on w.document_id = f.document_id
    where w.word_start < f.mention['end'] and w.word_end > f.mention['start']
    group by 1, 2, 3
)
select pseudonym('entity', f.document_id || ':' || mention['start'] || ':' || mention['end'] || ':' || mention['concept']) as entity_id,
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
       mention['score'] as code_score,
       'lexicon:' || mention['concept'] as detector,
       mention['score'] as detector_score,
       shift_days(mention['event_time'], date_shift_days) as event_time,
       d.text_confidence,
       $run_id as run_id
from found f
left join doubtful d
       on d.document_id = f.document_id and d.mention_start = f.mention['start'] and d.mention_end = f.mention['end'];
