"""The ledger explorer: public pages under /explorer/ that show what the ledger says, and why it can be believed."""
