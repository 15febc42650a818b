"""What every stage must do, as tests."""
