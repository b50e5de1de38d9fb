"""What things are: cluster, job and resources, errors, ledger. No SSH and no scheduler's words in here."""
