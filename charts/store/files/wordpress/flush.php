<?php
/** Empties the owner's cache of objects, by the drop-in itself. */
require __DIR__ . '/lib.php';
define('ABSPATH', '/usr/src/wordpress/');
define('SHORTINIT', true);
require ABSPATH . 'wp-load.php';
wp_cache_flush();
