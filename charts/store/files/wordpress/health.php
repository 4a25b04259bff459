<?php
/**
 * Ready or not: the database answers and set-up has ended. 200 or 503; on the command line exit 0 or
 * 1. Small on purpose: it does not load WordPress.
 */
mysqli_report(MYSQLI_REPORT_OFF);
$password = trim((string) @file_get_contents('/run/secrets/store/database-password'), "\r\n");
$db = mysqli_init();
$db->options(MYSQLI_OPT_CONNECT_TIMEOUT, 3);
$ready = false;
if (@$db->real_connect('mysql', 'wordpress', $password, 'wordpress')) {
	$found = @$db->query("SELECT 1 FROM wp_options WHERE option_name = 'urumi_ready'");
	$ready = $found && $found->num_rows > 0;
}
if ('cli' === PHP_SAPI) {
	exit($ready ? 0 : 1);
}
http_response_code($ready ? 200 : 503);
header('Content-Type: text/plain');
header('Cache-Control: no-store');
echo $ready ? "ready\n" : "not ready\n";
