-- Stage 60: the documents of one stroke together, one resolved value per variable.
--
-- In:  safe_documents, found_variables, accepted_documents, touched_patients, patients,
--      known_encounters; stored_documents and stored_variables hold what the tables
--      have of the same patients beyond the documents of this epoch
-- Out: documents, variables, episode_variables, cohort; touched_patients and
--      touched_documents name whose earlier rows these replace; placed_documents
--      and dossier_variables are the whole of these patients, for the next epoch
-- Parameters: run_id

create table dossier as
select * from safe_documents
union all
select s.document_id, s.patient_id, s.encounter_id, s.episode_id, s.document_version, s.status, s.type_code, s.type_display,
       s.kind, s.title, s.document_time,
       coalesce(shift_days(e.start, p.date_shift_days), s.stay_start) as stay_start,
       coalesce(shift_days(e."end", p.date_shift_days), s.stay_end) as stay_end,
       s.text, s.language, s.source, s.ingested_at, s.run_id
from (select d.* from stored_documents d left anti join accepted_documents a on a.document_id = d.document_id) s
left join known_encounters e on e.encounter_id = s.encounter_id and e.is_news
left join patients p on p.patient_id = s.patient_id;

create table dossier_variables as
select * from found_variables
union all
select s.* from stored_variables s left anti join accepted_documents a on a.document_id = s.document_id;

create table resolved as
with texts as (
    select patient_id,
           array_agg(named_struct(
               'document_id', document_id, 'encounter_id', encounter_id, 'document_time', document_time, 'kind', kind,
               'stay_start', stay_start, 'stay_end', stay_end, 'text', text)) as documents
    from dossier
    where patient_id is not null and status = 'current'
    group by patient_id
),
found as (
    select patient_id,
           array_agg(named_struct(
               'document_id', document_id, 'variable', variable, 'value', value, 'value_number', value_number,
               'value_boolean', value_boolean, 'value_datetime', value_datetime, 'start', start, 'end', "end",
               'source_start', source_start, 'source_end', source_end, 'section', section, 'time_anchor', time_anchor,
               'event_time', event_time, 'score', score, 'method', method)) as findings
    from dossier_variables
    where patient_id is not null
    group by patient_id
),
episodes as (
    select t.patient_id,
           unnest(resolve_patient(
               t.documents, f.findings, shift_days(patient_record(k.record)['birth_date'], k.date_shift_days),
               patient_record(k.record)['female'])) as episode
    from texts t
    left join found f on f.patient_id = t.patient_id
    left join patients k on k.patient_id = t.patient_id
)
select patient_id, pseudonym('episode', patient_id || ':' || episode['episode']) as episode_id, episode
from episodes;

create table membership as
select episode_id, unnest(episode['documents']) as document_id from resolved;

-- Documents of this epoch, and earlier ones that now belong elsewhere.
create table touched_documents as
select document_id from accepted_documents
union
select d.document_id
from dossier d
left join membership m on m.document_id = d.document_id
where m.episode_id is distinct from d.episode_id
union
select d.document_id
from dossier d
join known_encounters e on e.encounter_id = d.encounter_id
where e.is_news;

create table placed_documents as
select d.document_id,
       d.patient_id,
       d.encounter_id,
       m.episode_id,
       d.document_version,
       d.status,
       d.type_code,
       d.type_display,
       d.kind,
       d.title,
       d.document_time,
       d.stay_start,
       d.stay_end,
       d.text,
       d.language,
       d.source,
       d.ingested_at,
       d.run_id
from dossier d
left join membership m on m.document_id = d.document_id;

create table documents as
select p.* from placed_documents p left semi join touched_documents t on t.document_id = p.document_id;

create table variables as
select v.variable,
       v.value,
       v.value_number,
       v.value_boolean,
       v.value_datetime,
       v.unit,
       v.loinc_code,
       v.snomed_code,
       v.document_id,
       v.patient_id,
       v.encounter_id,
       m.episode_id,
       v.document_time,
       v.start,
       v."end",
       v.source_start,
       v.source_end,
       v.evidence,
       v.section,
       v.time_anchor,
       v.event_time,
       v.score,
       v.method,
       v.text_confidence,
       v.run_id
from dossier_variables v
join touched_documents t on t.document_id = v.document_id
left join membership m on m.document_id = v.document_id;

create table episode_variables as
select episode_id,
       patient_id,
       value['variable'] as variable,
       value['value'] as value,
       value['value_number'] as value_number,
       value['value_boolean'] as value_boolean,
       value['value_datetime'] as value_datetime,
       value['unit'] as unit,
       value['loinc_code'] as loinc_code,
       value['snomed_code'] as snomed_code,
       value['document_id'] as document_id,
       value['start'] as start,
       value['end'] as "end",
       value['source_start'] as source_start,
       value['source_end'] as source_end,
       value['evidence'] as evidence,
       value['event_time'] as event_time,
       value['score'] as score,
       value['candidates'] as candidates,
       value['conflict'] as conflict,
       value['inputs'] as inputs,
       value['method'] as method,
       $run_id as run_id
from (select episode_id, patient_id, unnest(episode['values']) as value from resolved)
where value['declared'];

create table cohort as
select episode_id,
       patient_id,
       episode['start'] as episode_start,
       cast(array_length(episode['documents']) as int) as documents,
       $run_id as run_id,
       cohort_columns(episode['values']) as variables
from resolved;
