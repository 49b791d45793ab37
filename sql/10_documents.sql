-- Stage 10: FHIR / HL7 v2 / CDA fields become document rows.
--
-- In:  incoming_documents, incoming_patients, stored_versions, stored_identities
-- Out: accepted_documents (for the stages that follow), source_documents,
--      documents, identities
-- Parameters: run_id, ingested_at

-- The newest version of each document of this epoch, unless the store has a newer one.
create table accepted_documents as
with keyed as (
    select *,
           pseudonym('document', source_document_id) as document_id,
           pseudonym('patient', source_patient_id) as patient_id,
           pseudonym('encounter', source_encounter_id) as encounter_id,
           coalesce(date_shift_days(source_patient_id), 0) as date_shift_days,
           row_number() over (
               partition by source_document_id
               order by document_version desc, last_updated desc nulls last, place desc
           ) as newest
    from incoming_documents
)
select k.*
from keyed k
left join stored_versions s on s.document_id = k.document_id
where k.newest = 1
  and (s.document_version is null or k.document_version >= s.document_version);

create table source_documents as
select document_id,
       document_version,
       place as source,
       source_document_id,
       source_patient_id,
       content_type,
       case when status = 'entered-in-error' then null else text end as text,
       received_at,
       $run_id as run_id
from accepted_documents;

-- Until the de-identification stage fills it, a research document has no text and no title.
create table documents as
select document_id,
       patient_id,
       encounter_id,
       cast(null as varchar) as episode_id,
       document_version,
       status,
       type_code,
       type_display,
       cast(null as varchar) as title,
       shift_days(document_time, date_shift_days) as document_time,
       cast(null as varchar) as text,
       language,
       -- The kind of source only: a path can name a person.
       split_part(source, ':', 1) as source,
       $ingested_at as ingested_at,
       $run_id as run_id
from accepted_documents;

-- Patients of this epoch, from their own records and from the documents that name them.
create table identities as
with named as (
    select source_patient_id, cast(null as varchar[]) as identifiers, cast(null as timestamp) as last_updated, 1 as rank
    from accepted_documents
    where source_patient_id is not null
    union all
    select source_patient_id, identifiers, cast(last_updated as timestamp), 0 as rank
    from incoming_patients
),
ranked as (
    select *, row_number() over (partition by source_patient_id order by rank, last_updated desc nulls last) as best
    from named
),
keyed as (
    select pseudonym('patient', source_patient_id) as patient_id, source_patient_id, identifiers
    from ranked
    where best = 1
)
select k.patient_id,
       k.source_patient_id,
       coalesce(k.identifiers, s.identifiers) as identifiers,
       date_shift_days(k.source_patient_id) as date_shift_days
from keyed k
left join stored_identities s on s.patient_id = k.patient_id
where s.patient_id is null or k.identifiers is not null;
