<?php
/**
 * What PHP's own server runs for each request while the shop is set up, on loopback and for set-up
 * alone: a step of set-up, or else the shop as its visitors will meet it, quietly (quiet.php).
 */
if (preg_match('~^/urumi/(warm|install|activate|configure|order|flush)\?~', $_SERVER['REQUEST_URI'], $urumi_step)) {
	require __DIR__ . "/$urumi_step[1].php";
	exit;
}
$urumi_plugins = array('woocommerce/woocommerce.php');
$_SERVER['SCRIPT_FILENAME'] = '/usr/src/wordpress/index.php';
$_SERVER['SCRIPT_NAME'] = '/index.php';
$_SERVER['PHP_SELF'] = '/index.php';
chdir('/usr/src/wordpress');
require __DIR__ . '/quiet.php';
require ABSPATH . 'index.php';
