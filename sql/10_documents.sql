-- Stage 10: FHIR / HL7 v2 / CDA fields become document rows.
--
-- In:  incoming_documents, incoming_patients, incoming_encounters; stored_versions
--      and stored_identities hold what the tables have of the documents and
--      patients of the epoch
-- Out: accepted_documents and patients (for the stages that follow), source_documents
-- Parameters: run_id

-- Patients of this epoch, from their own records and from the documents that name
-- them, with what is known of them from before.
create table patients as
with named as (
    select source_patient_id, cast(null as varchar[]) as identifiers, cast(null as varchar) as record,
           cast(null as timestamp) as last_updated, 1 as rank
    from incoming_documents
    where source_patient_id is not null
    union all
    select source_patient_id, identifiers, record, cast(last_updated as timestamp), 0 as rank
    from incoming_patients
),
ranked as (
    select *, row_number() over (partition by source_patient_id order by rank, last_updated desc nulls last) as best
    from named
),
keyed as (
    select pseudonym('patient', source_patient_id) as patient_id, source_patient_id, identifiers, record
    from ranked
    where best = 1
)
select k.patient_id,
       k.source_patient_id,
       coalesce(k.identifiers, s.identifiers) as identifiers,
       date_shift_days(k.source_patient_id) as date_shift_days,
       coalesce(k.record, s.record) as record,
       s.revealed as revealed_before,
       s.patient_id is null
           or (k.record is not null and k.record is distinct from s.record)
           or (k.identifiers is not null and k.identifiers is distinct from s.identifiers) as is_news
from keyed k
left join stored_identities s on s.patient_id = k.patient_id;

-- The newest version of each document of this epoch, unless the store has a newer one.
create table accepted_documents as
with keyed as (
    select *,
           pseudonym('document', source_document_id) as document_id,
           pseudonym('encounter', source_encounter_id) as encounter_id,
           row_number() over (
               partition by source_document_id
               order by document_version desc, last_updated desc nulls last, place desc
           ) as newest
    from incoming_documents
),
stays as (
    select source_encounter_id, max(start) as stay_start, max("end") as stay_end
    from incoming_encounters
    group by source_encounter_id
)
select k.document_id,
       k.document_version,
       k.status,
       k.place,
       k.source,
       k.source_document_id,
       k.source_patient_id,
       k.encounter_id,
       k.type_code,
       k.type_display,
       k.title,
       k.document_time,
       k.language,
       k.content_type,
       k.authors,
       case when k.status = 'entered-in-error' then null else k.text end as text,
       k.received_at,
       p.patient_id,
       p.record,
       coalesce(p.date_shift_days, 0) as date_shift_days,
       e.stay_start,
       e.stay_end
from keyed k
left join stored_versions s on s.document_id = k.document_id
left join patients p on p.source_patient_id = k.source_patient_id
left join stays e on e.source_encounter_id = k.source_encounter_id
where k.newest = 1
  and (s.document_version is null or k.document_version >= s.document_version);

create table source_documents as
select document_id,
       document_version,
       place as source,
       source_document_id,
       source_patient_id,
       content_type,
       text,
       received_at,
       $run_id as run_id
from accepted_documents;
