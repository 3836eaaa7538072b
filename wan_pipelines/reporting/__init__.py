"""What was spent as tables: frames of days, sums by any dimension, CSV and Parquet."""
