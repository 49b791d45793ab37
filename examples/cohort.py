"""From an export folder to a simple outcome model: polars, pandas, DuckDB, scikit-learn.

    sillage export --out tables --to files
    python cohort.py files [--variable nihss_admission]
"""

import argparse
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

OUTCOME = "mrs_3_months"
PREDICTORS = ["age", "nihss_admission", "mrs_pre_stroke", "glucose_admission", "iv_thrombolysis", "mechanical_thrombectomy"]
# Fewer of either outcome, and a model says nothing.
FEWEST = 10
# Characters shown on either side of the words.
AROUND = 30


def title(text):
    print(f"\n{text}\n{'-' * len(text)}")


def load(folder):
    """The cohort, read by each of the three libraries."""
    path = folder / "cohort.parquet"
    cohort = pl.read_parquet(path)
    frame = pd.read_parquet(path)
    rows = duckdb.sql(f"select count(*) from read_parquet('{path}')").fetchall()[0][0]
    assert cohort.height == len(frame) == rows, "the libraries disagree"
    return cohort


def coverage(cohort, path):
    """How many strokes have a value of each variable, and what the variable is."""
    schema = pq.read_schema(path)
    rows = []
    for name in cohort.columns[5:]:
        about = {key.decode(): value.decode() for key, value in (schema.field(name).metadata or {}).items()}
        known = cohort.height - cohort[name].null_count()
        rows.append((known / max(cohort.height, 1), name, about.get("unit", ""), about.get("description", "")))
    print(f"{len(rows)} variables; the best covered ones:\n")
    for share, name, unit, description in sorted(rows, reverse=True)[:10]:
        print(f"  {share:5.0%}  {name:28} {unit:9} {description}")


def evidence(folder, cohort, variable):
    """The words behind one variable, joined in three ways."""
    values = pl.read_parquet(folder / "episode_variables.parquet").filter(pl.col("variable") == variable)
    documents = pl.read_parquet(folder / "documents.parquet").select("document_id", "kind", "text")
    joined = cohort.select("episode_id").join(values, on="episode_id").join(documents, on="document_id", how="left")

    one = pd.read_parquet(folder / "episode_variables.parquet", filters=[("variable", "==", variable)])
    with_pandas = cohort.to_pandas()[["episode_id"]].merge(one, on="episode_id")
    with_duckdb = duckdb.sql(
        f"""select c.episode_id, v.value, v.evidence
            from read_parquet('{folder}/cohort.parquet') c
            join read_parquet('{folder}/episode_variables.parquet') v using (episode_id)
            where v.variable = $variable""",
        params={"variable": variable},
    ).fetchall()
    assert joined.height == len(with_pandas) == len(with_duckdb), "the libraries disagree"

    stated = joined.filter(pl.col("evidence").is_not_null() & pl.col("text").is_not_null())
    print(f"{joined.height} values, {stated.height} of them with their words, {joined['conflict'].sum()} in conflict\n")
    for row in stated.sort("score", descending=True).head(5).iter_rows(named=True):
        start, end = row["start"], row["end"]
        assert row["text"][start:end] == row["evidence"], "the span and its words"
        before, after = row["text"][max(start - AROUND, 0) : start], row["text"][end : end + AROUND]
        words = " ".join(f"{before}[{row['evidence']}]{after}".split())
        print(f"  {row['value']:>12}  {row['score']:.2f}  {row['kind'] or '':12} … {words} …")


def model(cohort):
    """Good outcome at three months from what is known at the door."""
    known = cohort.filter(pl.col(OUTCOME).is_not_null())
    good = (known[OUTCOME] <= 2).to_numpy()
    print(f"{known.height} of {cohort.height} strokes have an outcome, {good.sum()} of them a good one (mRS 0 to 2)")
    if min(good.sum(), (~good).sum()) < FEWEST:
        print(f"not enough for a model: it takes {FEWEST} good and {FEWEST} other outcomes")
        return
    # What half of the strokes lack explains little.
    used = [name for name in PREDICTORS if known[name].null_count() <= known.height / 2]
    features = known.select(pl.col(used).cast(pl.Float64)).to_numpy()
    classifier = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression(max_iter=1000))
    folds = StratifiedKFold(n_splits=5, shuffle=True, random_state=0)
    areas = cross_val_score(classifier, features, good, cv=folds, scoring="roc_auc")
    classifier.fit(features, good)
    print(f"area under the ROC curve, five folds: {areas.mean():.2f} ± {areas.std():.2f}\n")
    print("  odds ratio of a good outcome, per standard deviation")
    for name, weight in zip(used, classifier[-1].coef_[0]):
        print(f"  {np.exp(weight):6.2f}  {name} (known of {known.height - known[name].null_count()})")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder written by sillage export")
    parser.add_argument("--variable", default="nihss_admission", help="variable whose words are shown")
    options = parser.parse_args()

    cohort = load(options.folder)
    if options.variable not in cohort.columns:
        parser.error(f"no variable {options.variable}; `sillage variables list` names them all")
    title(f"Cohort: {cohort.height} strokes of {cohort['patient_id'].n_unique()} patients")
    coverage(cohort, options.folder / "cohort.parquet")
    title(f"Where {options.variable} comes from")
    evidence(options.folder, cohort, options.variable)
    title("Outcome at three months")
    model(cohort)


if __name__ == "__main__":
    main()
