-- Stage 10: FHIR / HL7 v2 / CDA fields become document rows.
--
-- In:  incoming_documents, incoming_patients, incoming_encounters; stored_versions,
--      stored_identities and stored_encounters hold what the tables have of the
--      documents, patients and encounters that the epoch names; survivors says of
--      each patient to whom the documents belong now; journalled_patients are those
--      whom a replayed epoch has taken documents from, journalled_encounters those of
--      which it had news
--      incoming_page_spans says where the words of texts read from pages stand
-- Out: accepted_documents, patients and touched_patients (for the stages that follow),
--      people and known_encounters (what is known of the patients and encounters
--      named), source_documents, page_spans, encounters
-- Parameters: run_id

-- Everybody who is named, each under the patient that is left of a merge. What was
-- ever known of a person identifies still: a newer record comes first, and keeps what
-- it does not say itself. An older one that comes late adds to it.
create table people as
with ranked as (
    select source_patient_id, identifiers, record, cast(last_updated as timestamp) as last_updated,
           row_number() over (partition by source_patient_id order by last_updated desc nulls last, place desc) as newest
    from incoming_patients
    where record is not null
),
keyed as (
    select pseudonym('patient', source_patient_id) as person_id,
           pseudonym('patient', survivor) as patient_id,
           source_patient_id, survivor, merged_into, cast(merged_at as timestamp) as merged_at
    from survivors
),
known as (
    select k.*,
           s.patient_id is not null as is_known,
           s.identifiers as stored_identifiers,
           s.record as stored_record,
           s.revealed as stored_revealed,
           s.merged_into as stored_merged_into,
           cast(s.merged_at as timestamp) as stored_merged_at,
           cast(s.last_updated as timestamp) as stored_last_updated,
           r.identifiers as new_identifiers,
           r.record as new_record,
           r.last_updated as new_last_updated,
           r.record is not null
               and (s.record is null or s.last_updated is null or r.last_updated is null
                    or r.last_updated >= cast(s.last_updated as timestamp)) as is_newer
    from keyed k
    left join stored_identities s on s.patient_id = k.person_id
    left join ranked r on r.source_patient_id = k.source_patient_id and r.newest = 1
)
select person_id, patient_id, source_patient_id, survivor, merged_into,
       -- Who stands alone has no survivor to tell since when.
       coalesce(merged_at, stored_merged_at) as merged_at,
       identifiers,
       record,
       case when is_newer then coalesce(new_last_updated, stored_last_updated) else stored_last_updated end as last_updated,
       stored_revealed as revealed_before,
       not is_known
           or (merged_into is distinct from stored_merged_into)
           or (merged_at is not null and (merged_at is distinct from stored_merged_at))
           or (record is distinct from stored_record)
           or (identifiers is distinct from stored_identifiers) as is_news
from (
    select *,
           case when is_newer then join_records(make_array(new_record, stored_record))
                else join_records(make_array(stored_record, new_record)) end as record,
           case when new_identifiers is null then stored_identifiers
                when stored_identifiers is null then new_identifiers
                else array_sort(array_union(new_identifiers, stored_identifiers)) end as identifiers
    from known
);

-- The patients of research: what is known of all who are the same person counts.
create table patients as
with persons as (
    select patient_id, survivor, join_records(array_agg(record order by source_patient_id <> survivor, source_patient_id)) as record
    from people
    group by patient_id, survivor
)
select p.patient_id, p.survivor as source_patient_id, p.record, date_shift_days(p.survivor) as date_shift_days, s.revealed_before
from persons p
join people s on s.person_id = p.patient_id;

-- To whom encounters were given. Some senders say that one has moved; others state
-- whose it is with each version, and another patient than before is a move. The
-- newest statement counts, whenever it comes.
create table moves as
with stated as (
    select source_encounter_id, source_patient_id as moved_to, last_updated as moved_at, place, true as incoming
    from incoming_encounters
    where moved is null and source_patient_id is not null
),
owners as (
    select * from stated
    union all
    select s.source_encounter_id, s.source_patient_id, s.last_updated, '', false
    from stored_encounters s
    left semi join stated n on n.source_encounter_id = s.source_encounter_id
    where s.source_patient_id is not null
),
several as (
    select source_encounter_id from owners group by source_encounter_id having count(distinct moved_to) > 1
),
said as (
    select source_encounter_id, source_patient_id as moved_to, last_updated as moved_at, place, true as incoming
    from incoming_encounters
    where moved and source_patient_id is not null
    union all
    select o.* from owners o left semi join several s on s.source_encounter_id = o.source_encounter_id
    union all
    select source_encounter_id, moved_to, moved_at, '', false from stored_encounters where moved_to is not null
),
ranked as (
    select *,
           row_number() over (
               partition by source_encounter_id
               order by case when incoming and moved_at is null then 0 else 1 end, moved_at desc nulls last, incoming desc, place desc
           ) as newest
    from said
)
select source_encounter_id, moved_to, moved_at from ranked where newest = 1;

create table known_encounters as
with ranked as (
    select *, row_number() over (partition by source_encounter_id order by last_updated desc nulls last, place desc) as newest
    from incoming_encounters
),
-- The newest that tells of more than its own number.
numbered as (
    select source_encounter_id, identifiers,
           row_number() over (partition by source_encounter_id order by last_updated desc nulls last, place desc) as newest
    from incoming_encounters
    where coalesce(array_length(array_remove(identifiers, source_encounter_id)), 0) > 0
),
named as (
    select source_encounter_id from ranked where newest = 1
    union
    select source_encounter_id from stored_encounters
),
known as (
    select n.source_encounter_id, r.source_patient_id, r.class, r.start, r."end", r.last_updated, m.moved_to, m.moved_at,
           i.identifiers,
           r.moved is null as is_stated,
           s.source_encounter_id is not null as is_known,
           s.source_patient_id as stored_patient_id, s.moved_to as stored_moved_to, s.moved_at as stored_moved_at,
           s.identifiers as stored_identifiers, s.class as stored_class,
           s.start as stored_start, s."end" as stored_end, s.last_updated as stored_last_updated,
           r.source_encounter_id is not null
               and (s.last_updated is null or r.last_updated is null or r.last_updated >= s.last_updated) as is_newer
    from named n
    left join ranked r on r.source_encounter_id = n.source_encounter_id and r.newest = 1
    left join numbered i on i.source_encounter_id = n.source_encounter_id and i.newest = 1
    left join moves m on m.source_encounter_id = n.source_encounter_id
    left join stored_encounters s on s.source_encounter_id = n.source_encounter_id
)
select k.encounter_id,
       source_encounter_id,
       case when is_newer then coalesce(source_patient_id, stored_patient_id) else stored_patient_id end as source_patient_id,
       moved_to,
       moved_at,
       case when is_renumbered then identifiers else stored_identifiers end as identifiers,
       case when is_newer then coalesce(class, stored_class) else stored_class end as class,
       case when is_newer then coalesce(start, stored_start) else stored_start end as start,
       case when is_newer then coalesce("end", stored_end) else stored_end end as "end",
       case when is_newer then coalesce(last_updated, stored_last_updated) else stored_last_updated end as last_updated,
       j.encounter_id is not null
           or (moved_to is distinct from stored_moved_to)
           or (moved_at is distinct from stored_moved_at)
           or (is_newer
               and (not is_known
                    or (source_patient_id is not null and (source_patient_id is distinct from stored_patient_id))
                    or (class is not null and (class is distinct from stored_class))
                    or (start is not null and (start is distinct from stored_start))
                    or ("end" is not null and ("end" is distinct from stored_end)))) as is_news,
       -- Where each version states the patient, the time of the newest tells which one that was.
       is_renumbered or (is_newer and is_stated and (last_updated is distinct from stored_last_updated)) as is_noted
from (
    select *,
           pseudonym('encounter', source_encounter_id) as encounter_id,
           identifiers is not null
               and (stored_identifiers is null or (is_newer and not array_has_all(stored_identifiers, identifiers))) as is_renumbered
    from known
) k
left join journalled_encounters j on j.encounter_id = k.encounter_id;

create table encounters as
select encounter_id, source_encounter_id, source_patient_id, moved_to, moved_at, identifiers, class, start, "end", last_updated
from known_encounters
where is_news or is_noted;

-- To whom an encounter was given last, by its own number or another of its numbers.
create table moved_encounters as
with names as (
    select source_encounter_id,
           unnest(case when identifiers is null then make_array(source_encounter_id)
                       else array_append(identifiers, source_encounter_id) end) as name
    from known_encounters
),
ranked as (
    select n.source_encounter_id, m.moved_to,
           row_number() over (
               partition by n.source_encounter_id
               order by m.moved_at desc nulls last, m.source_encounter_id = n.source_encounter_id desc, m.source_encounter_id
           ) as newest
    from names n
    join known_encounters m on m.source_encounter_id = n.name
    where m.moved_to is not null
)
select source_encounter_id, moved_to from ranked where newest = 1;

-- The newest version of each document of this epoch, unless the store has a newer
-- one. A document that another one replaces is superseded, whichever comes first.
create table accepted_documents as
with replacing as (
    select unnest(replaces) as replaced_id, source, place, received_at, source_document_id, source_patient_id
    from incoming_documents
    where status <> 'entered-in-error'
),
replaced as (
    select replaced_id, max(source) as source, max(place) as place, max(received_at) as received_at,
           max(source_patient_id) as source_patient_id
    from replacing
    where replaced_id <> source_document_id
    group by replaced_id
),
-- A deletion without a version is of everything that came before it.
numbered as (
    select i.source, i.place, i.source_document_id, i.precedence, i.last_updated, i.status, i.source_patient_id,
           i.source_encounter_id, i.type_code, i.type_display, i.title, i.document_time, i.language, i.content_type,
           i.authors, i.text, i.coded, i.margins, i.attachment_sha256, i.received_at,
           case when i.precedence = 3 or i.document_version is null
                then greatest(coalesce(i.document_version, 0), coalesce(s.document_version, 0))
                else i.document_version end as document_version
    from (select d.*, pseudonym('document', d.source_document_id) as document_id from incoming_documents d) i
    left join stored_versions s on s.document_id = i.document_id
),
ranked as (
    select *,
           row_number() over (
               partition by source_document_id
               order by document_version desc, precedence desc, last_updated desc nulls last, place desc
           ) as newest
    from numbered
),
newest as (
    select k.source, k.place, k.source_document_id, k.document_version, k.precedence, k.last_updated, k.status,
           k.source_patient_id, k.source_encounter_id, k.type_code, k.type_display, k.title, k.document_time, k.language,
           k.content_type, k.authors, k.text, k.coded, k.margins, k.attachment_sha256, k.received_at, r.replaced_id is not null as is_replaced
    from ranked k
    left join replaced r on r.replaced_id = k.source_document_id
    where k.newest = 1
    union all
    -- Stands for one that has not come: any version of it counts over that. An epoch
    -- that is made once more may find it there.
    select r.source, r.place, r.replaced_id, cast(null as int), cast(-1 as int), null, 'superseded',
           r.source_patient_id, null, null, null, null, null, null,
           null, null, null, null, null, null, r.received_at, true
    from replaced r
    left anti join incoming_documents k on k.source_document_id = r.replaced_id
    left anti join (select document_id from stored_versions where precedence >= 0) s
        on s.document_id = pseudonym('document', r.replaced_id)
),
keyed as (
    select n.*, pseudonym('document', n.source_document_id) as document_id
    from newest n
),
checked as (
    select k.*,
           cast(coalesce(k.document_version, s.document_version, 0) as int) as version,
           k.is_replaced or coalesce(s.replaced, false) as replaced,
           s.patient_id as patient_before
    from keyed k
    left join stored_versions s on s.document_id = k.document_id
    where s.document_version is null
       or k.document_version is null
       or k.document_version > s.document_version
       or (k.document_version = s.document_version and k.precedence >= s.precedence)
)
select c.document_id,
       c.version as document_version,
       cast(c.precedence as int) as precedence,
       case when c.status = 'current' and c.replaced then 'superseded' else c.status end as status,
       c.replaced,
       c.place,
       c.source,
       c.source_document_id,
       c.source_patient_id,
       c.source_encounter_id,
       pseudonym('encounter', c.source_encounter_id) as encounter_id,
       c.type_code,
       c.type_display,
       c.title,
       c.document_time,
       c.language,
       c.content_type,
       c.authors,
       case when c.status = 'current' and not c.replaced then c.text end as text,
       case when c.status <> 'entered-in-error' then c.text end as kept_text,
       case when c.status = 'current' and not c.replaced then c.coded end as coded,
       case when c.status <> 'entered-in-error' then c.coded end as kept_coded,
       case when c.status = 'current' and not c.replaced then c.margins end as margins,
       case when c.status <> 'entered-in-error' then c.margins end as kept_margins,
       case when c.status <> 'entered-in-error' then c.attachment_sha256 end as attachment_sha256,
       c.last_updated,
       c.received_at,
       coalesce(p.patient_id, c.patient_before) as patient_id,
       c.patient_before,
       t.record,
       coalesce(t.date_shift_days, 0) as date_shift_days,
       e.start as stay_start,
       e."end" as stay_end
from checked c
left join known_encounters e on e.source_encounter_id = c.source_encounter_id
left join moved_encounters m on m.source_encounter_id = c.source_encounter_id
left join people p on p.source_patient_id = coalesce(m.moved_to, c.source_patient_id)
left join patients t on t.patient_id = p.patient_id;

-- Whose episodes are put together anew: those of the documents, those to whom a
-- document belonged before, those of whom a stay begins or ends elsewhere.
create table touched_patients as
select patient_id from accepted_documents where patient_id is not null
union
select patient_before from accepted_documents where patient_before is not null
union
select p.patient_id
from known_encounters e
left join moved_encounters m on m.source_encounter_id = e.source_encounter_id
join people p on p.source_patient_id = coalesce(m.moved_to, e.source_patient_id)
where e.is_news
union
select patient_id from journalled_patients;

create table source_documents as
select document_id,
       document_version,
       precedence,
       status,
       replaced,
       place as source,
       source as feed,
       source_document_id,
       patient_id,
       source_patient_id,
       source_encounter_id,
       type_code,
       type_display,
       title,
       document_time,
       language,
       content_type,
       authors,
       kept_text as text,
       kept_coded as coded,
       kept_margins as margins,
       attachment_sha256,
       last_updated,
       received_at,
       $run_id as run_id
from accepted_documents;

create table page_spans as
select a.document_id, a.document_version, w."start", w."end", w.attachment, w.page, w."left", w.bottom, w."right", w.top, w.confidence
from incoming_page_spans w
join accepted_documents a on a.source_document_id = w.source_document_id and a.place = w.place
where a.kept_text is not null
  and (w.document_version is null or w.document_version = a.document_version);
