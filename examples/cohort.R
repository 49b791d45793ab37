# From an export folder to a simple outcome model: arrow and stats::glm.
#
#   sillage export --out tables --to files
#   Rscript cohort.R files [nihss_admission]

arguments <- commandArgs(trailingOnly = TRUE)
if (length(arguments) < 1) stop("usage: Rscript cohort.R FOLDER [VARIABLE]", call. = FALSE)
folder <- arguments[1]
variable <- if (length(arguments) > 1) arguments[2] else "nihss_admission"

fewest <- 10 # of either outcome; with fewer, a model says nothing
predictors <- c("age", "nihss_admission", "mrs_pre_stroke", "glucose_admission", "iv_thrombolysis", "mechanical_thrombectomy")

read <- function(table) as.data.frame(arrow::read_parquet(file.path(folder, paste0(table, ".parquet"))))
title <- function(text) cat("\n", text, "\n", strrep("-", nchar(text)), "\n", sep = "")

cohort <- read("cohort")
if (!variable %in% names(cohort)) stop("no variable ", variable, "; `sillage variables list` names them all", call. = FALSE)
title(sprintf("Cohort: %d strokes of %d patients", nrow(cohort), length(unique(cohort$patient_id))))
declared <- names(cohort)[-(1:5)]
known <- sort(colMeans(!is.na(cohort[declared])), decreasing = TRUE)
cat(sprintf("%d variables; the best covered ones:\n\n", length(declared)))
cat(sprintf("  %4.0f%%  %s\n", 100 * head(known, 10), names(head(known, 10))), sep = "")

title(sprintf("Where %s comes from", variable))
values <- read("episode_variables")
values <- values[values$variable == variable, ]
documents <- read("documents")[c("document_id", "kind", "text")]
joined <- merge(merge(cohort["episode_id"], values, by = "episode_id"), documents, by = "document_id", all.x = TRUE)
stated <- joined[!is.na(joined$evidence) & !is.na(joined$text), ]
cat(sprintf("%d values, %d of them with their words, %d in conflict\n\n", nrow(joined), nrow(stated), sum(joined$conflict)))
# Offsets count characters from 0, end exclusive; R counts from 1.
stopifnot(substr(stated$text, stated$start + 1, stated$end) == stated$evidence)
best <- head(stated[order(-stated$score), ], 5)
around <- gsub("\\s+", " ", substr(best$text, pmax(best$start - 29, 1), best$end + 30))
if (nrow(best) > 0) cat(sprintf("  %12s  %.2f  %-12s … %s …\n", best$value, best$score, best$kind, around), sep = "")

title("Outcome at three months")
seen <- cohort[!is.na(cohort$mrs_3_months), ]
seen$good <- seen$mrs_3_months <= 2
cat(sprintf("%d of %d strokes have an outcome, %d of them a good one (mRS 0 to 2)\n", nrow(seen), nrow(cohort), sum(seen$good)))
if (min(sum(seen$good), sum(!seen$good)) < fewest) {
  cat(sprintf("not enough for a model: it takes %d good and %d other outcomes\n", fewest, fewest))
} else {
  # What half of the strokes lack explains little; the rest is filled with the median.
  used <- predictors[colMeans(is.na(seen[predictors])) <= 0.5]
  filled <- as.data.frame(lapply(seen[used], function(column) {
    column <- as.numeric(column)
    replace(column, is.na(column), stats::median(column, na.rm = TRUE))
  }))
  used <- used[vapply(filled, function(column) length(unique(column)) > 1, logical(1))]
  fit <- stats::glm(stats::reformulate(used, "good"), family = stats::binomial(), data = cbind(filled, good = seen$good))
  ratios <- cbind(`odds ratio` = exp(stats::coef(fit)), exp(stats::confint.default(fit)))[-1, , drop = FALSE]
  cat("\nodds ratio of a good outcome, per unit, with its 95 % interval\n\n")
  print(round(ratios, 2))
}
