"""Pictures in files: everyday ones, deep ones, and what they carry beside their pixels."""
