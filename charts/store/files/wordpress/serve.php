<?php
/**
 * What PHP's own server runs for each request while set-up proves that the shop takes an order: the
 * shop as its visitors will meet it, quietly (quiet.php). On loopback, for set-up alone.
 */
$urumi_plugins = array('woocommerce/woocommerce.php');
$_SERVER['SCRIPT_FILENAME'] = '/usr/src/wordpress/index.php';
$_SERVER['SCRIPT_NAME'] = '/index.php';
$_SERVER['PHP_SELF'] = '/index.php';
chdir('/usr/src/wordpress');
require __DIR__ . '/quiet.php';
require ABSPATH . 'index.php';
