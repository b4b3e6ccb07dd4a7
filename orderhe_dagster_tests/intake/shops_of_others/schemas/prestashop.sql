-- PrestaShop of the 1.6 and 1.7 years: prefixed names, decimals of six places, zero dates until something happens.
create table ps_configuration (
    id_configuration int(10) unsigned not null auto_increment,
    id_shop_group int(11) unsigned default null,
    id_shop int(11) unsigned default null,
    name varchar(254) not null,
    value text,
    date_add datetime not null,
    date_upd datetime not null,
    primary key (id_configuration),
    key name (name),
    key id_shop (id_shop)
) engine=InnoDB default charset=utf8mb4;

create table ps_currency (
    id_currency int(10) unsigned not null auto_increment,
    name varchar(64) not null,
    iso_code varchar(3) not null default '0',
    conversion_rate decimal(13,6) not null,
    deleted tinyint(1) unsigned not null default '0',
    active tinyint(1) unsigned not null default '1',
    primary key (id_currency),
    key currency_iso_code (iso_code)
) engine=InnoDB default charset=utf8mb4;

create table ps_lang (
    id_lang int(10) unsigned not null auto_increment,
    name varchar(32) not null,
    active tinyint(3) unsigned not null default '0',
    iso_code varchar(2) not null,
    language_code varchar(5) not null,
    date_format_lite varchar(32) not null default 'Y-m-d',
    is_rtl tinyint(1) not null default '0',
    primary key (id_lang)
) engine=InnoDB default charset=utf8mb4;

create table ps_customer (
    id_customer int(10) unsigned not null auto_increment,
    id_shop_group int(11) unsigned not null default '1',
    id_shop int(11) unsigned not null default '1',
    id_gender int(10) unsigned not null,
    id_default_group int(10) unsigned not null default '1',
    id_lang int(10) unsigned default null,
    company varchar(64) default null,
    firstname varchar(255) not null,
    lastname varchar(255) not null,
    email varchar(255) not null,
    passwd varchar(60) not null,
    last_passwd_gen timestamp not null default current_timestamp,
    birthday date not null,
    newsletter tinyint(1) unsigned not null default '0',
    newsletter_date_add datetime default null,
    optin tinyint(1) unsigned not null default '0',
    outstanding_allow_amount decimal(20,6) not null default '0.000000',
    secure_key varchar(32) not null default '-1',
    note text,
    active tinyint(1) unsigned not null default '0',
    is_guest tinyint(1) not null default '0',
    deleted tinyint(1) not null default '0',
    date_add datetime not null,
    date_upd datetime not null,
    primary key (id_customer),
    key customer_email (email),
    key id_gender (id_gender),
    key id_shop (id_shop, date_add)
) engine=InnoDB default charset=utf8mb4;

create table ps_address (
    id_address int(10) unsigned not null auto_increment,
    id_country int(10) unsigned not null,
    id_state int(10) unsigned default null,
    id_customer int(10) unsigned not null default '0',
    alias varchar(32) not null,
    lastname varchar(255) not null,
    firstname varchar(255) not null,
    address1 varchar(128) not null,
    postcode varchar(12) default null,
    city varchar(64) not null,
    phone varchar(32) default null,
    date_add datetime not null,
    date_upd datetime not null,
    active tinyint(1) unsigned not null default '1',
    deleted tinyint(1) unsigned not null default '0',
    primary key (id_address),
    key address_customer (id_customer)
) engine=InnoDB default charset=utf8mb4;

create table ps_category (
    id_category int(10) unsigned not null auto_increment,
    id_parent int(10) unsigned not null,
    level_depth tinyint(3) unsigned not null default '0',
    nleft int(10) unsigned not null default '0',
    nright int(10) unsigned not null default '0',
    active tinyint(1) unsigned not null default '0',
    date_add datetime not null,
    date_upd datetime not null,
    position int(10) unsigned not null default '0',
    is_root_category tinyint(1) not null default '0',
    primary key (id_category),
    key category_parent (id_parent)
) engine=InnoDB default charset=utf8mb4;

create table ps_category_lang (
    id_category int(10) unsigned not null,
    id_shop int(11) unsigned not null default '1',
    id_lang int(10) unsigned not null,
    name varchar(128) not null,
    description text,
    link_rewrite varchar(128) not null,
    primary key (id_category, id_shop, id_lang),
    key category_name (name)
) engine=InnoDB default charset=utf8mb4;

create table ps_product (
    id_product int(10) unsigned not null auto_increment,
    id_supplier int(10) unsigned default null,
    id_category_default int(10) unsigned default null,
    id_tax_rules_group int(11) unsigned not null,
    on_sale tinyint(1) unsigned not null default '0',
    ean13 varchar(13) default null,
    ecotax decimal(17,6) not null default '0.000000',
    quantity int(10) not null default '0',
    price decimal(20,6) not null default '0.000000',
    wholesale_price decimal(20,6) not null default '0.000000',
    reference varchar(64) default null,
    weight decimal(20,6) not null default '0.000000',
    active tinyint(1) unsigned not null default '0',
    redirect_type enum('','404','301-product','302-product') not null default '',
    available_date date not null default '0000-00-00',
    `condition` enum('new','used','refurbished') not null default 'new',
    visibility enum('both','catalog','search','none') not null default 'both',
    date_add datetime not null,
    date_upd datetime not null,
    primary key (id_product),
    key id_category_default (id_category_default),
    key date_add (date_add)
) engine=InnoDB default charset=utf8mb4;

create table ps_product_lang (
    id_product int(10) unsigned not null,
    id_shop int(11) unsigned not null default '1',
    id_lang int(10) unsigned not null,
    description text,
    description_short text,
    link_rewrite varchar(128) not null,
    name varchar(128) not null,
    available_now varchar(255) default null,
    primary key (id_product, id_shop, id_lang),
    key id_lang (id_lang),
    key name (name)
) engine=InnoDB default charset=utf8mb4;

create table ps_cart (
    id_cart int(10) unsigned not null auto_increment,
    id_carrier int(10) unsigned not null,
    delivery_option text not null,
    id_lang int(10) unsigned not null,
    id_currency int(10) unsigned not null,
    id_customer int(10) unsigned not null,
    id_guest int(10) unsigned not null,
    secure_key varchar(32) not null default '-1',
    date_add datetime not null,
    date_upd datetime not null,
    primary key (id_cart),
    key cart_customer (id_customer)
) engine=InnoDB default charset=utf8mb4;

create table ps_order_state (
    id_order_state int(10) unsigned not null auto_increment,
    invoice tinyint(1) unsigned default '0',
    send_email tinyint(1) unsigned not null default '0',
    module_name varchar(255) default null,
    color varchar(32) default null,
    logable tinyint(1) not null default '0',
    delivery tinyint(1) unsigned not null default '0',
    shipped tinyint(1) unsigned not null default '0',
    paid tinyint(1) unsigned not null default '0',
    deleted tinyint(1) unsigned not null default '0',
    primary key (id_order_state)
) engine=InnoDB default charset=utf8mb4;

create table ps_order_state_lang (
    id_order_state int(10) unsigned not null,
    id_lang int(10) unsigned not null,
    name varchar(64) not null,
    template varchar(64) not null,
    primary key (id_order_state, id_lang)
) engine=InnoDB default charset=utf8mb4;

create table ps_orders (
    id_order int(10) unsigned not null auto_increment,
    reference varchar(9) default null,
    id_shop_group int(11) unsigned not null default '1',
    id_shop int(11) unsigned not null default '1',
    id_carrier int(10) unsigned not null,
    id_lang int(10) unsigned not null,
    id_customer int(10) unsigned not null,
    id_cart int(10) unsigned not null,
    id_currency int(10) unsigned not null,
    id_address_delivery int(10) unsigned not null,
    id_address_invoice int(10) unsigned not null,
    current_state int(10) unsigned not null,
    secure_key varchar(32) not null default '-1',
    payment varchar(255) not null,
    conversion_rate decimal(13,6) not null default '1.000000',
    module varchar(255) default null,
    recyclable tinyint(1) unsigned not null default '0',
    gift tinyint(1) unsigned not null default '0',
    gift_message text,
    shipping_number varchar(64) default null,
    total_discounts decimal(20,6) not null default '0.000000',
    total_discounts_tax_incl decimal(20,6) not null default '0.000000',
    total_discounts_tax_excl decimal(20,6) not null default '0.000000',
    total_paid decimal(20,6) not null default '0.000000',
    total_paid_tax_incl decimal(20,6) not null default '0.000000',
    total_paid_tax_excl decimal(20,6) not null default '0.000000',
    total_paid_real decimal(20,6) not null default '0.000000',
    total_products decimal(20,6) not null default '0.000000',
    total_products_wt decimal(20,6) not null default '0.000000',
    total_shipping decimal(20,6) not null default '0.000000',
    total_shipping_tax_incl decimal(20,6) not null default '0.000000',
    total_shipping_tax_excl decimal(20,6) not null default '0.000000',
    carrier_tax_rate decimal(10,3) not null default '0.000',
    total_wrapping decimal(20,6) not null default '0.000000',
    round_mode tinyint(1) not null default '2',
    round_type tinyint(1) not null default '1',
    invoice_number int(10) unsigned not null default '0',
    delivery_number int(10) unsigned not null default '0',
    invoice_date datetime not null,
    delivery_date datetime not null,
    valid int(1) unsigned not null default '0',
    date_add datetime not null,
    date_upd datetime not null,
    primary key (id_order),
    key reference (reference),
    key id_customer (id_customer),
    key id_cart (id_cart),
    key invoice_number (invoice_number),
    key current_state (current_state),
    key date_add (date_add)
) engine=InnoDB default charset=utf8mb4;

create table ps_order_detail (
    id_order_detail int(10) unsigned not null auto_increment,
    id_order int(10) unsigned not null,
    id_order_invoice int(11) default null,
    id_warehouse int(10) unsigned default '0',
    id_shop int(11) unsigned not null,
    product_id int(10) unsigned not null,
    product_attribute_id int(10) unsigned default null,
    product_name text not null,
    product_quantity int(10) unsigned not null default '0',
    product_quantity_in_stock int(10) not null default '0',
    product_quantity_refunded int(10) unsigned not null default '0',
    product_quantity_return int(10) unsigned not null default '0',
    product_price decimal(20,6) not null default '0.000000',
    reduction_percent decimal(5,2) not null default '0.00',
    reduction_amount decimal(20,6) not null default '0.000000',
    product_reference varchar(64) default null,
    product_weight decimal(20,6) not null,
    tax_name varchar(16) not null,
    tax_rate decimal(10,3) not null default '0.000',
    ecotax decimal(17,6) not null default '0.000000',
    download_deadline datetime default '0000-00-00 00:00:00',
    total_price_tax_incl decimal(20,6) not null default '0.000000',
    total_price_tax_excl decimal(20,6) not null default '0.000000',
    unit_price_tax_incl decimal(20,6) not null default '0.000000',
    unit_price_tax_excl decimal(20,6) not null default '0.000000',
    original_product_price decimal(20,6) not null default '0.000000',
    primary key (id_order_detail),
    key order_detail_order (id_order),
    key product_id (product_id, product_attribute_id),
    key id_order_id_order_detail (id_order, id_order_detail)
) engine=InnoDB default charset=utf8mb4;

create table ps_order_history (
    id_order_history int(10) unsigned not null auto_increment,
    id_employee int(10) unsigned not null,
    id_order int(10) unsigned not null,
    id_order_state int(10) unsigned not null,
    date_add datetime not null,
    primary key (id_order_history),
    key order_history_order (id_order)
) engine=InnoDB default charset=utf8mb4;

create table ps_order_payment (
    id_order_payment int(11) not null auto_increment,
    order_reference varchar(9) default null,
    id_currency int(10) unsigned not null,
    amount decimal(20,6) not null,
    payment_method varchar(255) not null,
    conversion_rate decimal(13,6) not null default '1.000000',
    transaction_id varchar(254) default null,
    date_add datetime not null,
    primary key (id_order_payment),
    key order_reference (order_reference)
) engine=InnoDB default charset=utf8mb4;

create table ps_order_slip (
    id_order_slip int(10) unsigned not null auto_increment,
    conversion_rate decimal(13,6) not null default '1.000000',
    id_customer int(10) unsigned not null,
    id_order int(10) unsigned not null,
    total_products_tax_excl decimal(20,6) default null,
    total_products_tax_incl decimal(20,6) default null,
    amount decimal(20,6) not null,
    partial tinyint(1) not null,
    date_add datetime not null,
    date_upd datetime not null,
    primary key (id_order_slip),
    key order_slip_customer (id_customer),
    key id_order (id_order)
) engine=InnoDB default charset=utf8mb4;

create table ps_guest (
    id_guest int(10) unsigned not null auto_increment,
    id_operating_system int(10) unsigned default null,
    id_customer int(10) unsigned default null,
    javascript tinyint(1) default '0',
    accept_language varchar(8) default null,
    primary key (id_guest),
    key id_customer (id_customer)
) engine=InnoDB default charset=utf8mb4;

create table ps_connections (
    id_connections int(10) unsigned not null auto_increment,
    id_guest int(10) unsigned not null,
    id_page int(10) unsigned not null,
    ip_address bigint(20) default null,
    date_add datetime not null,
    http_referer varchar(255) default null,
    primary key (id_connections),
    key id_guest (id_guest),
    key date_add (date_add)
) engine=InnoDB default charset=utf8mb4;

create table ps_log (
    id_log int(10) unsigned not null auto_increment,
    severity tinyint(1) not null,
    error_code int(11) default null,
    message text not null,
    object_type varchar(32) default null,
    object_id int(10) unsigned default null,
    date_add datetime not null,
    date_upd datetime not null,
    primary key (id_log)
) engine=InnoDB default charset=utf8mb4;

create table `ps_MyModule-Points` (
    `Id` int(10) unsigned not null auto_increment,
    `Customer` int(10) unsigned not null,
    `Points` int(11) not null default '0',
    `Until` date not null,
    primary key (`Id`)
) engine=InnoDB default charset=utf8mb4;
