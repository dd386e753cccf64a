SELECT daily.let_read(:role)
