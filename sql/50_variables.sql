-- Stage 50: values of the declared variables, each with its evidence: those of the
-- words, and those that a clinical document states in codes.
--
-- In:  deidentified, recognised_words
-- Out: found_variables (for the episodes)
-- Parameters: run_id

create table found_variables as
with found as (
    select document_id,
           patient_id,
           encounter_id,
           document_time,
           date_shift_days,
           unnest(reading['findings']) as finding,
           unnest(safe['finding_spans']) as span
    from deidentified
    where safe['leak'] is null
    union all
    select document_id,
           patient_id,
           encounter_id,
           document_time,
           date_shift_days,
           unnest(entries['findings']) as finding,
           unnest(safe['coded_finding_spans']) as span
    from deidentified
    where safe['leak'] is null
),
doubtful as (
    select f.document_id, f.finding['start'] as finding_start, f.finding['end'] as finding_end, min(w.confidence) as text_confidence
    from found f
    join recognised_words w on w.document_id = f.document_id
    where w.word_start < f.finding['end'] and w.word_end > f.finding['start']
    group by 1, 2, 3
),
shifted as (
    select *, shift_days(finding['value_datetime'], date_shift_days) as value_datetime from found
)
select finding['variable'] as variable,
       case when value_datetime is null then finding['value'] else to_char(value_datetime, '%Y-%m-%dT%H:%M:%S') end as value,
       finding['value_number'] as value_number,
       finding['value_boolean'] as value_boolean,
       value_datetime,
       finding['unit'] as unit,
       finding['loinc_code'] as loinc_code,
       finding['snomed_code'] as snomed_code,
       s.document_id,
       patient_id,
       encounter_id,
       cast(null as varchar) as episode_id,
       shift_days(document_time, date_shift_days) as document_time,
       span['start'] as start,
       span['end'] as "end",
       finding['start'] as source_start,
       finding['end'] as source_end,
       span['text'] as evidence,
       finding['section'] as section,
       finding['time_anchor'] as time_anchor,
       shift_days(finding['event_time'], date_shift_days) as event_time,
       finding['score'] as score,
       finding['method'] as method,
       d.text_confidence,
       $run_id as run_id
from shifted s
left join doubtful d
       on d.document_id = s.document_id and d.finding_start = s.finding['start'] and d.finding_end = s.finding['end'];
