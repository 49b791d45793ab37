-- Stage 20: on the original text, what is named where, who is named, what is measured;
-- beside it, what a clinical document states in codes.
--
-- In:  accepted_documents
-- Out: readings

create table texts as
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
       title,
       language,
       document_time,
       stay_start,
       stay_end,
       date_shift_days,
       record,
       text,
       coded,
       margins,
       identifying(margins, record, authors) as aside,
       document_type(type_code, coded) as document_type,
       read_document(text, document_time, document_type(type_code, coded), record, authors, stay_start, stay_end) as reading
from accepted_documents;

create table readings as
select *, read_entries(coded, text, reading, document_time, document_type, stay_start, stay_end) as entries
from texts;
