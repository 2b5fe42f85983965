"""What runs against an Azure account."""
