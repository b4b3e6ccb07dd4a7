-- OpenCart 3: no foreign key, no index on the day of an order, zero dates as defaults, a price of four places.
create table oc_setting (
    setting_id int(11) not null auto_increment,
    store_id int(11) not null default '0',
    code varchar(128) not null,
    `key` varchar(128) not null,
    value text not null,
    serialized tinyint(1) not null,
    primary key (setting_id)
) engine=MyISAM default charset=utf8mb4 collate=utf8mb4_general_ci;

create table oc_language (
    language_id int(11) not null auto_increment,
    name varchar(32) not null,
    code varchar(5) not null,
    locale varchar(255) not null,
    sort_order int(3) not null default '0',
    status tinyint(1) not null,
    primary key (language_id),
    key name (name)
) engine=MyISAM default charset=utf8mb4 collate=utf8mb4_general_ci;

create table oc_currency (
    currency_id int(11) not null auto_increment,
    title varchar(32) not null,
    code varchar(3) not null,
    symbol_left varchar(12) not null,
    symbol_right varchar(12) not null,
    decimal_place char(1) not null,
    value double(15,8) not null,
    status tinyint(1) not null,
    date_modified datetime not null,
    primary key (currency_id)
) engine=MyISAM default charset=utf8mb4 collate=utf8mb4_general_ci;

create table oc_session (
    session_id varchar(32) not null,
    data text not null,
    expire datetime not null,
    primary key (session_id)
) engine=MyISAM default charset=utf8mb4 collate=utf8mb4_general_ci;

create table oc_customer (
    customer_id int(11) not null auto_increment,
    customer_group_id int(11) not null,
    store_id int(11) not null default '0',
    language_id int(11) not null,
    firstname varchar(32) not null,
    lastname varchar(32) not null,
    email varchar(96) not null,
    telephone varchar(32) not null,
    fax varchar(32) not null,
    password varchar(40) not null,
    salt varchar(9) not null,
    cart text,
    newsletter tinyint(1) not null default '0',
    address_id int(11) not null default '0',
    custom_field text not null,
    ip varchar(40) not null,
    status tinyint(1) not null,
    safe tinyint(1) not null,
    token text not null,
    code varchar(40) not null,
    date_added datetime not null,
    primary key (customer_id)
) engine=MyISAM default charset=utf8mb4 collate=utf8mb4_general_ci;

create table oc_address (
    address_id int(11) not null auto_increment,
    customer_id int(11) not null,
    firstname varchar(32) not null,
    lastname varchar(32) not null,
    company varchar(40) not null,
    address_1 varchar(128) not null,
    city varchar(128) not null,
    postcode varchar(10) not null,
    country_id int(11) not null default '0',
    zone_id int(11) not null default '0',
    primary key (address_id),
    key customer_id (customer_id)
) engine=MyISAM default charset=utf8mb4 collate=utf8mb4_general_ci;

create table oc_category (
    category_id int(11) not null auto_increment,
    image varchar(255) default null,
    parent_id int(11) not null default '0',
    top tinyint(1) not null,
    `column` int(3) not null,
    sort_order int(3) not null default '0',
    status tinyint(1) not null,
    date_added datetime not null,
    date_modified datetime not null,
    primary key (category_id),
    key parent_id (parent_id)
) engine=MyISAM default charset=utf8mb4 collate=utf8mb4_general_ci;

create table oc_category_description (
    category_id int(11) not null,
    language_id int(11) not null,
    name varchar(255) not null,
    description text not null,
    meta_title varchar(255) not null,
    primary key (category_id, language_id),
    key name (name)
) engine=MyISAM default charset=utf8mb4 collate=utf8mb4_general_ci;

create table oc_product (
    product_id int(11) not null auto_increment,
    model varchar(64) not null,
    sku varchar(64) not null,
    upc varchar(12) not null,
    location varchar(128) not null,
    quantity int(4) not null default '0',
    stock_status_id int(11) not null,
    image varchar(255) default null,
    manufacturer_id int(11) not null,
    shipping tinyint(1) not null default '1',
    price decimal(15,4) not null default '0.0000',
    points int(8) not null default '0',
    tax_class_id int(11) not null,
    date_available date not null default '0000-00-00',
    weight decimal(15,8) not null default '0.00000000',
    subtract tinyint(1) not null default '1',
    minimum int(11) not null default '1',
    sort_order int(11) not null default '0',
    status tinyint(1) not null default '0',
    viewed int(5) not null default '0',
    date_added datetime not null,
    date_modified datetime not null,
    primary key (product_id)
) engine=MyISAM default charset=utf8mb4 collate=utf8mb4_general_ci;

create table oc_product_description (
    product_id int(11) not null,
    language_id int(11) not null,
    name varchar(255) not null,
    description text not null,
    tag text not null,
    meta_title varchar(255) not null,
    primary key (product_id, language_id),
    key name (name)
) engine=MyISAM default charset=utf8mb4 collate=utf8mb4_general_ci;

create table oc_product_to_category (
    product_id int(11) not null,
    category_id int(11) not null,
    primary key (product_id, category_id),
    key category_id (category_id)
) engine=MyISAM default charset=utf8mb4 collate=utf8mb4_general_ci;

create table oc_product_special (
    product_special_id int(11) not null auto_increment,
    product_id int(11) not null,
    customer_group_id int(11) not null,
    priority int(5) not null default '1',
    price decimal(15,4) not null default '0.0000',
    date_start date not null default '0000-00-00',
    date_end date not null default '0000-00-00',
    primary key (product_special_id),
    key product_id (product_id)
) engine=MyISAM default charset=utf8mb4 collate=utf8mb4_general_ci;

create table oc_cart (
    cart_id int(11) unsigned not null auto_increment,
    api_id int(11) not null,
    customer_id int(11) not null,
    session_id varchar(32) not null,
    product_id int(11) not null,
    recurring_id int(11) not null,
    `option` text not null,
    quantity int(5) not null,
    date_added datetime not null,
    primary key (cart_id),
    key cart_id (api_id, customer_id, session_id, product_id, recurring_id)
) engine=MyISAM default charset=utf8mb4 collate=utf8mb4_general_ci;

create table oc_order_status (
    order_status_id int(11) not null auto_increment,
    language_id int(11) not null,
    name varchar(32) not null,
    primary key (order_status_id, language_id)
) engine=MyISAM default charset=utf8mb4 collate=utf8mb4_general_ci;

create table oc_order (
    order_id int(11) not null auto_increment,
    invoice_no int(11) not null default '0',
    invoice_prefix varchar(26) not null,
    store_id int(11) not null default '0',
    store_name varchar(64) not null,
    store_url varchar(255) not null,
    customer_id int(11) not null default '0',
    customer_group_id int(11) not null default '0',
    firstname varchar(32) not null,
    lastname varchar(32) not null,
    email varchar(96) not null,
    telephone varchar(32) not null,
    fax varchar(32) not null,
    custom_field text not null,
    payment_firstname varchar(32) not null,
    payment_lastname varchar(32) not null,
    payment_address_1 varchar(128) not null,
    payment_city varchar(128) not null,
    payment_postcode varchar(10) not null,
    payment_country varchar(128) not null,
    payment_method varchar(128) not null,
    payment_code varchar(128) not null,
    shipping_firstname varchar(32) not null,
    shipping_lastname varchar(32) not null,
    shipping_address_1 varchar(128) not null,
    shipping_city varchar(128) not null,
    shipping_method varchar(128) not null,
    shipping_code varchar(128) not null,
    comment text not null,
    total decimal(15,4) not null default '0.0000',
    order_status_id int(11) not null default '0',
    affiliate_id int(11) not null,
    commission decimal(15,4) not null,
    marketing_id int(11) not null,
    tracking varchar(64) not null,
    language_id int(11) not null,
    currency_id int(11) not null,
    currency_code varchar(3) not null,
    currency_value decimal(15,8) not null default '1.00000000',
    ip varchar(40) not null,
    forwarded_ip varchar(40) not null,
    user_agent varchar(255) not null,
    accept_language varchar(255) not null,
    date_added datetime not null,
    date_modified datetime not null,
    primary key (order_id)
) engine=MyISAM default charset=utf8mb4 collate=utf8mb4_general_ci;

create table oc_order_product (
    order_product_id int(11) not null auto_increment,
    order_id int(11) not null,
    product_id int(11) not null,
    name varchar(255) not null,
    model varchar(64) not null,
    quantity int(4) not null,
    price decimal(15,4) not null default '0.0000',
    total decimal(15,4) not null default '0.0000',
    tax decimal(15,4) not null default '0.0000',
    reward int(8) not null,
    primary key (order_product_id),
    key order_id (order_id)
) engine=MyISAM default charset=utf8mb4 collate=utf8mb4_general_ci;

create table oc_order_total (
    order_total_id int(10) not null auto_increment,
    order_id int(11) not null,
    code varchar(32) not null,
    title varchar(255) not null,
    value decimal(15,4) not null default '0.0000',
    sort_order int(3) not null,
    primary key (order_total_id),
    key order_id (order_id)
) engine=MyISAM default charset=utf8mb4 collate=utf8mb4_general_ci;

create table oc_order_history (
    order_history_id int(11) not null auto_increment,
    order_id int(11) not null,
    order_status_id int(11) not null,
    notify tinyint(1) not null default '0',
    comment text not null,
    date_added datetime not null,
    primary key (order_history_id)
) engine=MyISAM default charset=utf8mb4 collate=utf8mb4_general_ci;

create table oc_return (
    return_id int(11) not null auto_increment,
    order_id int(11) not null,
    product_id int(11) not null,
    customer_id int(11) not null,
    quantity int(4) not null,
    return_status_id int(11) not null,
    date_ordered date not null default '0000-00-00',
    date_added datetime not null,
    date_modified datetime not null,
    primary key (return_id)
) engine=MyISAM default charset=utf8mb4 collate=utf8mb4_general_ci;

create table `oc_Invoice-Export` (
    `Invoice No` int(11) not null,
    `Order` int(11) not null,
    `Größe` varchar(20) default null,
    exported datetime not null,
    primary key (`Invoice No`)
) engine=MyISAM default charset=utf8mb4 collate=utf8mb4_general_ci;
