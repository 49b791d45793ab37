-- Stage 30: what identifies somebody is replaced; spans are carried over.
--
-- In:  readings, patients, people
-- Out: deidentified and safe_documents (for the stages that follow), phi_spans,
--      identities, leaks
-- Parameters: run_id, ingested_at

-- What the documents of a patient reveal is looked for in all of them: those of
-- this epoch, and what earlier ones left with the identity.
create table revealed as
select patient_id, array_agg(item order by item) as items
from (
    select distinct patient_id, item
    from (
        select patient_id, unnest(reading['revealed']) as item from readings where patient_id is not null
        union all
        select patient_id, unnest(revealed_before) as item from patients
    )
)
group by patient_id;

create table identities as
select p.person_id as patient_id,
       p.source_patient_id,
       p.identifiers,
       date_shift_days(p.source_patient_id) as date_shift_days,
       p.record,
       r.items as revealed,
       p.merged_into,
       p.merged_at,
       p.last_updated
from people p
left join revealed r on r.patient_id = p.person_id
-- A record that says nothing new is not written again.
where p.is_news
   or coalesce(array_length(r.items), 0) > coalesce(array_length(p.revealed_before), 0);

-- A table of its own: its documents are dealt to all cores, which the join leaves to one.
create table known_readings as
select r.*, v.items as revealed
from readings r
left join revealed v on v.patient_id = r.patient_id
-- On what a learned model fails nothing was read: it must not leave.
where r.reading['failure'] is null;

create table deidentified as
select document_id,
       document_version,
       status,
       place,
       source,
       received_at,
       patient_id,
       encounter_id,
       type_code,
       type_display,
       language,
       document_time,
       stay_start,
       stay_end,
       date_shift_days,
       reading,
       entries,
       aside,
       deidentify_document(
           text, title, type_display, reading, entries, revealed, record, patient_id, date_shift_days, document_time,
           aside['revealed']) as safe
from known_readings;

create table safe_documents as
select document_id,
       patient_id,
       encounter_id,
       cast(null as varchar) as episode_id,
       document_version,
       status,
       type_code,
       type_display,
       reading['kind'] as kind,
       safe['title'] as title,
       shift_days(document_time, date_shift_days) as document_time,
       shift_days(stay_start, date_shift_days) as stay_start,
       shift_days(stay_end, date_shift_days) as stay_end,
       safe['text'] as text,
       language,
       -- The kind of source only: a path can name a person.
       split_part(source, ':', 1) as source,
       $ingested_at as ingested_at,
       $run_id as run_id
from deidentified
where safe['leak'] is null;

-- Of the margins nothing leaves: nothing is put in their place.
create table phi_spans as
select document_id,
       document_version,
       patient_id,
       span['label'] as label,
       span['start'] as start,
       span['end'] as "end",
       span['text'] as text,
       span['replacement'] as replacement,
       span['detector'] as detector,
       span['score'] as score,
       'text' as part
from (
    select document_id, document_version, patient_id, unnest(safe['spans']) as span from deidentified
)
union all
select document_id,
       document_version,
       patient_id,
       span['label'] as label,
       span['start'] as start,
       span['end'] as "end",
       span['text'] as text,
       cast(null as varchar) as replacement,
       span['detector'] as detector,
       span['score'] as score,
       'margins' as part
from (
    select document_id, document_version, patient_id, unnest(aside['spans']) as span from deidentified
);

-- The second lock: a document of which an identifier would still show does not leave,
-- nor does one on which a learned model failed.
create table leaks as
select document_id as message_id,
       received_at,
       place as source,
       'identifier_leak' as reason,
       place || ' ' || safe['leak'] as detail,
       cast(null as varchar) as payload
from deidentified
where safe['leak'] is not null
union all
select document_id, received_at, place, 'model_failed', place || ' ' || reading['failure'], cast(null as varchar)
from readings
where reading['failure'] is not null;
