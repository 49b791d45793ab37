-- Stage 20: on the original text, what is named where and how it is qualified.
--
-- In:  accepted_documents
-- Out: mentions

create table mentions as
select document_id,
       patient_id,
       encounter_id,
       document_time,
       date_shift_days,
       unnest(entities(text, document_time, type_code)) as mention
from accepted_documents
where status <> 'entered-in-error';
