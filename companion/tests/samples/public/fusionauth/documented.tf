resource "fusionauth_system_configuration" "example" {
  audit_log_configuration {
    delete {
      enabled                  = true
      number_of_days_to_retain = 367
    }
  }
  cors_configuration {
    allowed_methods = ["POST", "PUT"]
  }
}
