-- Stage 20: on the original text, what is named where, who is named, what is measured.
--
-- In:  accepted_documents
-- Out: readings

create table readings as
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
       margins,
       identifying(margins, record, authors) as aside,
       read_document(text, document_time, type_code, record, authors, stay_start, stay_end) as reading
from accepted_documents;
