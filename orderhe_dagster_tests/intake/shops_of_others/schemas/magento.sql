-- Magento 2: an order of a hundred columns, attributes in tables by type, lines of a set beside the set's own.
create table core_config_data (
    config_id int(10) unsigned not null auto_increment,
    scope varchar(8) not null default 'default',
    scope_id int(11) not null default '0',
    path varchar(255) not null default 'general',
    value text,
    updated_at timestamp not null default current_timestamp on update current_timestamp,
    primary key (config_id),
    unique key CORE_CONFIG_DATA_SCOPE_SCOPE_ID_PATH (scope, scope_id, path)
) engine=InnoDB default charset=utf8mb4 comment='Config Data';

create table store (
    store_id smallint(5) unsigned not null auto_increment,
    code varchar(32) default null,
    website_id smallint(5) unsigned not null default '0',
    name varchar(255) not null,
    sort_order smallint(5) unsigned not null default '0',
    is_active smallint(5) unsigned not null default '0',
    primary key (store_id),
    unique key STORE_CODE (code)
) engine=InnoDB default charset=utf8mb4 comment='Stores';

create table eav_attribute (
    attribute_id smallint(5) unsigned not null auto_increment,
    entity_type_id smallint(5) unsigned not null default '0',
    attribute_code varchar(255) not null,
    backend_type varchar(8) not null default 'static',
    frontend_label varchar(255) default null,
    is_required smallint(5) unsigned not null default '0',
    primary key (attribute_id),
    unique key EAV_ATTRIBUTE_ENTITY_TYPE_ID_ATTRIBUTE_CODE (entity_type_id, attribute_code)
) engine=InnoDB default charset=utf8mb4 comment='Eav Attribute';

create table customer_entity (
    entity_id int(10) unsigned not null auto_increment,
    website_id smallint(5) unsigned default null,
    email varchar(255) default null,
    group_id smallint(5) unsigned not null default '0',
    increment_id varchar(50) default null,
    store_id smallint(5) unsigned default '0',
    created_at timestamp not null default current_timestamp,
    updated_at timestamp not null default current_timestamp on update current_timestamp,
    is_active smallint(5) unsigned not null default '1',
    created_in varchar(255) default null,
    firstname varchar(255) default null,
    lastname varchar(255) default null,
    dob date default null,
    password_hash varchar(128) default null,
    rp_token varchar(128) default null,
    rp_token_created_at datetime default null,
    gender smallint(5) unsigned default null,
    primary key (entity_id),
    unique key CUSTOMER_ENTITY_EMAIL_WEBSITE_ID (email, website_id),
    key CUSTOMER_ENTITY_STORE_ID (store_id)
) engine=InnoDB default charset=utf8mb4 comment='Customer Entity';

create table catalog_category_entity (
    entity_id int(10) unsigned not null auto_increment,
    attribute_set_id smallint(5) unsigned not null default '0',
    parent_id int(10) unsigned not null default '0',
    created_at timestamp not null default current_timestamp,
    updated_at timestamp not null default current_timestamp on update current_timestamp,
    path varchar(255) not null,
    position int(11) not null,
    level int(11) not null default '0',
    children_count int(11) not null,
    primary key (entity_id)
) engine=InnoDB default charset=utf8mb4 comment='Catalog Category Table';

create table catalog_category_entity_varchar (
    value_id int(11) not null auto_increment,
    attribute_id smallint(5) unsigned not null default '0',
    store_id smallint(5) unsigned not null default '0',
    entity_id int(10) unsigned not null default '0',
    value varchar(255) default null,
    primary key (value_id),
    unique key CATALOG_CATEGORY_ENTITY_VARCHAR_ENTITY_ID_ATTRIBUTE_ID_STORE_ID (entity_id, attribute_id, store_id),
    key ATTRIBUTE_ID (attribute_id)
) engine=InnoDB default charset=utf8mb4 comment='Catalog Category Varchar Attribute';

create table catalog_product_entity (
    entity_id int(10) unsigned not null auto_increment,
    attribute_set_id smallint(5) unsigned not null default '0',
    type_id varchar(32) not null default 'simple',
    sku varchar(64) not null,
    has_options smallint(6) not null default '0',
    required_options smallint(5) unsigned not null default '0',
    created_at timestamp not null default current_timestamp,
    updated_at timestamp not null default current_timestamp on update current_timestamp,
    primary key (entity_id),
    unique key CATALOG_PRODUCT_ENTITY_SKU (sku)
) engine=InnoDB default charset=utf8mb4 comment='Catalog Product Table';

create table catalog_product_entity_varchar (
    value_id int(11) not null auto_increment,
    attribute_id smallint(5) unsigned not null default '0',
    store_id smallint(5) unsigned not null default '0',
    entity_id int(10) unsigned not null default '0',
    value varchar(255) default null,
    primary key (value_id),
    unique key CATALOG_PRODUCT_ENTITY_VARCHAR_ENTITY_ID_ATTRIBUTE_ID_STORE_ID (entity_id, attribute_id, store_id),
    key ATTRIBUTE_ID (attribute_id)
) engine=InnoDB default charset=utf8mb4 comment='Catalog Product Varchar Attribute';

create table catalog_product_entity_decimal (
    value_id int(11) not null auto_increment,
    attribute_id smallint(5) unsigned not null default '0',
    store_id smallint(5) unsigned not null default '0',
    entity_id int(10) unsigned not null default '0',
    value decimal(20,6) default null,
    primary key (value_id),
    unique key CATALOG_PRODUCT_ENTITY_DECIMAL_ENTITY_ID_ATTRIBUTE_ID_STORE_ID (entity_id, attribute_id, store_id),
    key ATTRIBUTE_ID (attribute_id)
) engine=InnoDB default charset=utf8mb4 comment='Catalog Product Decimal Attribute';

create table catalog_product_entity_int (
    value_id int(11) not null auto_increment,
    attribute_id smallint(5) unsigned not null default '0',
    store_id smallint(5) unsigned not null default '0',
    entity_id int(10) unsigned not null default '0',
    value int(11) default null,
    primary key (value_id),
    unique key CATALOG_PRODUCT_ENTITY_INT_ENTITY_ID_ATTRIBUTE_ID_STORE_ID (entity_id, attribute_id, store_id),
    key ATTRIBUTE_ID (attribute_id)
) engine=InnoDB default charset=utf8mb4 comment='Catalog Product Int Attribute';

create table catalog_product_entity_text (
    value_id int(11) not null auto_increment,
    attribute_id smallint(5) unsigned not null default '0',
    store_id smallint(5) unsigned not null default '0',
    entity_id int(10) unsigned not null default '0',
    value mediumtext,
    primary key (value_id),
    unique key CATALOG_PRODUCT_ENTITY_TEXT_ENTITY_ID_ATTRIBUTE_ID_STORE_ID (entity_id, attribute_id, store_id),
    key ATTRIBUTE_ID (attribute_id)
) engine=InnoDB default charset=utf8mb4 comment='Catalog Product Text Attribute';

create table catalog_product_entity_datetime (
    value_id int(11) not null auto_increment,
    attribute_id smallint(5) unsigned not null default '0',
    store_id smallint(5) unsigned not null default '0',
    entity_id int(10) unsigned not null default '0',
    value datetime default null,
    primary key (value_id),
    unique key CATALOG_PRODUCT_ENTITY_DATETIME_ENTITY_ID_ATTRIBUTE_ID_STORE_ID (entity_id, attribute_id, store_id),
    key ATTRIBUTE_ID (attribute_id)
) engine=InnoDB default charset=utf8mb4 comment='Catalog Product Datetime Attribute';

create table catalog_category_product (
    entity_id int(11) not null auto_increment,
    category_id int(10) unsigned not null default '0',
    product_id int(10) unsigned not null default '0',
    position int(11) not null default '0',
    primary key (entity_id, category_id, product_id),
    unique key CATALOG_CATEGORY_PRODUCT_CATEGORY_ID_PRODUCT_ID (category_id, product_id)
) engine=InnoDB default charset=utf8mb4 comment='Catalog Product To Category';

create table quote (
    entity_id int(10) unsigned not null auto_increment,
    store_id smallint(5) unsigned not null default '0',
    created_at timestamp not null default current_timestamp,
    updated_at timestamp not null default '0000-00-00 00:00:00' on update current_timestamp,
    converted_at timestamp null default null,
    is_active smallint(5) unsigned default '1',
    items_count int(10) unsigned default '0',
    grand_total decimal(20,4) default '0.0000',
    customer_id int(10) unsigned default null,
    customer_email varchar(255) default null,
    reserved_order_id varchar(64) default null,
    primary key (entity_id),
    key QUOTE_CUSTOMER_ID_STORE_ID_IS_ACTIVE (customer_id, store_id, is_active)
) engine=InnoDB default charset=utf8mb4 comment='Sales Flat Quote';

create table sales_order_status (
    status varchar(32) not null,
    label varchar(128) not null,
    primary key (status)
) engine=InnoDB default charset=utf8mb4 comment='Sales Order Status Table';

create table sales_order (
    entity_id int(10) unsigned not null auto_increment comment 'Entity ID',
    state varchar(32) default null comment 'State',
    status varchar(32) default null comment 'Status',
    coupon_code varchar(255) default null,
    protect_code varchar(255) default null,
    shipping_description varchar(255) default null,
    is_virtual smallint(5) unsigned default null,
    store_id smallint(5) unsigned default null,
    customer_id int(10) unsigned default null comment 'Customer ID',
    base_discount_amount decimal(20,4) default null,
    base_discount_canceled decimal(20,4) default null,
    base_discount_invoiced decimal(20,4) default null,
    base_discount_refunded decimal(20,4) default null,
    base_grand_total decimal(20,4) default null,
    base_shipping_amount decimal(20,4) default null,
    base_shipping_canceled decimal(20,4) default null,
    base_shipping_invoiced decimal(20,4) default null,
    base_shipping_refunded decimal(20,4) default null,
    base_shipping_tax_amount decimal(20,4) default null,
    base_shipping_tax_refunded decimal(20,4) default null,
    base_subtotal decimal(20,4) default null,
    base_subtotal_canceled decimal(20,4) default null,
    base_subtotal_invoiced decimal(20,4) default null,
    base_subtotal_refunded decimal(20,4) default null,
    base_tax_amount decimal(20,4) default null,
    base_tax_canceled decimal(20,4) default null,
    base_tax_invoiced decimal(20,4) default null,
    base_tax_refunded decimal(20,4) default null,
    base_total_canceled decimal(20,4) default null,
    base_total_invoiced decimal(20,4) default null,
    base_total_offline_refunded decimal(20,4) default null,
    base_total_online_refunded decimal(20,4) default null,
    base_total_paid decimal(20,4) default null,
    base_to_global_rate decimal(20,4) default null,
    base_to_order_rate decimal(20,4) default null,
    base_total_qty_ordered decimal(12,4) default null,
    base_total_refunded decimal(20,4) default null,
    discount_amount decimal(20,4) default null,
    discount_canceled decimal(20,4) default null,
    discount_invoiced decimal(20,4) default null,
    discount_refunded decimal(20,4) default null,
    grand_total decimal(20,4) default null,
    shipping_amount decimal(20,4) default null,
    shipping_canceled decimal(20,4) default null,
    shipping_invoiced decimal(20,4) default null,
    shipping_refunded decimal(20,4) default null,
    shipping_tax_amount decimal(20,4) default null,
    shipping_tax_refunded decimal(20,4) default null,
    subtotal decimal(20,4) default null,
    subtotal_canceled decimal(20,4) default null,
    subtotal_invoiced decimal(20,4) default null,
    subtotal_refunded decimal(20,4) default null,
    tax_amount decimal(20,4) default null,
    tax_canceled decimal(20,4) default null,
    tax_invoiced decimal(20,4) default null,
    tax_refunded decimal(20,4) default null,
    total_canceled decimal(20,4) default null,
    total_invoiced decimal(20,4) default null,
    total_offline_refunded decimal(20,4) default null,
    total_online_refunded decimal(20,4) default null,
    total_paid decimal(20,4) default null,
    store_to_base_rate decimal(12,4) default null,
    store_to_order_rate decimal(12,4) default null,
    total_qty_ordered decimal(12,4) default null,
    total_refunded decimal(20,4) default null,
    can_ship_partially smallint(5) unsigned default null,
    can_ship_partially_item smallint(5) unsigned default null,
    customer_is_guest smallint(5) unsigned default null,
    customer_note_notify smallint(5) unsigned default null,
    billing_address_id int(11) default null,
    customer_group_id int(11) default null,
    edit_increment int(11) default null,
    email_sent smallint(6) default null,
    send_email smallint(5) unsigned default null,
    quote_address_id int(11) default null,
    quote_id int(11) default null,
    shipping_address_id int(11) default null,
    adjustment_negative decimal(20,4) default null,
    adjustment_positive decimal(20,4) default null,
    base_adjustment_negative decimal(20,4) default null,
    base_adjustment_positive decimal(20,4) default null,
    base_shipping_discount_amount decimal(20,4) default null,
    base_subtotal_incl_tax decimal(20,4) default null,
    base_total_due decimal(20,4) default null,
    shipping_discount_amount decimal(20,4) default null,
    subtotal_incl_tax decimal(20,4) default null,
    total_due decimal(20,4) default null,
    weight decimal(12,4) default null,
    customer_dob datetime default null,
    increment_id varchar(50) default null comment 'Increment ID',
    applied_rule_ids varchar(128) default null,
    base_currency_code varchar(3) default null,
    customer_email varchar(128) default null,
    customer_firstname varchar(128) default null,
    customer_lastname varchar(128) default null,
    global_currency_code varchar(3) default null,
    order_currency_code varchar(3) default null,
    remote_ip varchar(45) default null,
    shipping_method varchar(120) default null,
    store_currency_code varchar(3) default null,
    store_name varchar(255) default null,
    customer_note text,
    created_at timestamp not null default current_timestamp comment 'Created At',
    updated_at timestamp not null default current_timestamp on update current_timestamp comment 'Updated At',
    total_item_count smallint(5) unsigned not null default '0',
    customer_gender int(11) default null,
    shipping_incl_tax decimal(20,4) default null,
    base_shipping_incl_tax decimal(20,4) default null,
    gift_message_id int(11) default null,
    primary key (entity_id),
    unique key SALES_ORDER_INCREMENT_ID_STORE_ID (increment_id, store_id),
    key SALES_ORDER_STATUS (status),
    key SALES_ORDER_CREATED_AT (created_at),
    key SALES_ORDER_CUSTOMER_ID (customer_id),
    key SALES_ORDER_UPDATED_AT (updated_at),
    constraint SALES_ORDER_CUSTOMER_ID_CUSTOMER_ENTITY_ENTITY_ID foreign key (customer_id) references customer_entity (entity_id) on delete set null
) engine=InnoDB default charset=utf8mb4 comment='Sales Flat Order';

create table sales_order_item (
    item_id int(10) unsigned not null auto_increment,
    order_id int(10) unsigned not null default '0',
    parent_item_id int(10) unsigned default null,
    quote_item_id int(10) unsigned default null,
    store_id smallint(5) unsigned default null,
    created_at timestamp not null default current_timestamp,
    updated_at timestamp not null default current_timestamp on update current_timestamp,
    product_id int(10) unsigned default null,
    product_type varchar(255) default null,
    product_options text,
    weight decimal(12,4) default '0.0000',
    is_virtual smallint(5) unsigned default null,
    sku varchar(255) default null,
    name varchar(255) default null,
    description text,
    free_shipping smallint(5) unsigned not null default '0',
    no_discount smallint(5) unsigned not null default '0',
    qty_backordered decimal(12,4) default '0.0000',
    qty_canceled decimal(12,4) default '0.0000',
    qty_invoiced decimal(12,4) default '0.0000',
    qty_ordered decimal(12,4) default '0.0000',
    qty_refunded decimal(12,4) default '0.0000',
    qty_shipped decimal(12,4) default '0.0000',
    base_cost decimal(12,4) default '0.0000',
    price decimal(12,4) not null default '0.0000',
    base_price decimal(12,4) not null default '0.0000',
    original_price decimal(12,4) default null,
    tax_percent decimal(12,4) default '0.0000',
    tax_amount decimal(20,4) default '0.0000',
    discount_percent decimal(12,4) default '0.0000',
    discount_amount decimal(20,4) default '0.0000',
    amount_refunded decimal(20,4) default '0.0000',
    row_total decimal(20,4) not null default '0.0000',
    base_row_total decimal(20,4) not null default '0.0000',
    row_weight decimal(12,4) default '0.0000',
    price_incl_tax decimal(20,4) default null,
    base_price_incl_tax decimal(20,4) default null,
    row_total_incl_tax decimal(20,4) default null,
    base_row_total_incl_tax decimal(20,4) default null,
    primary key (item_id),
    key SALES_ORDER_ITEM_ORDER_ID (order_id),
    key SALES_ORDER_ITEM_STORE_ID (store_id),
    constraint SALES_ORDER_ITEM_ORDER_ID_SALES_ORDER_ENTITY_ID foreign key (order_id) references sales_order (entity_id) on delete cascade
) engine=InnoDB default charset=utf8mb4 comment='Sales Flat Order Item';

create table sales_order_address (
    entity_id int(10) unsigned not null auto_increment,
    parent_id int(10) unsigned default null,
    customer_id int(11) default null,
    region varchar(255) default null,
    postcode varchar(255) default null,
    lastname varchar(255) default null,
    street varchar(255) default null,
    city varchar(255) default null,
    email varchar(255) default null,
    telephone varchar(255) default null,
    country_id varchar(2) default null,
    firstname varchar(255) default null,
    address_type varchar(255) default null,
    primary key (entity_id),
    key SALES_ORDER_ADDRESS_PARENT_ID (parent_id),
    constraint SALES_ORDER_ADDRESS_PARENT_ID_SALES_ORDER_ENTITY_ID foreign key (parent_id) references sales_order (entity_id) on delete cascade
) engine=InnoDB default charset=utf8mb4 comment='Sales Flat Order Address';

create table sales_creditmemo (
    entity_id int(10) unsigned not null auto_increment,
    store_id smallint(5) unsigned default null,
    order_id int(10) unsigned not null,
    grand_total decimal(20,4) default null,
    state int(11) default null,
    increment_id varchar(50) default null,
    created_at timestamp not null default current_timestamp,
    updated_at timestamp not null default current_timestamp on update current_timestamp,
    primary key (entity_id),
    key SALES_CREDITMEMO_ORDER_ID (order_id),
    key SALES_CREDITMEMO_CREATED_AT (created_at)
) engine=InnoDB default charset=utf8mb4 comment='Sales Flat Creditmemo';

create table sales_order_aggregated_created (
    id int(10) unsigned not null auto_increment,
    period date default null,
    store_id smallint(5) unsigned default null,
    order_status varchar(50) not null,
    orders_count int(11) not null default '0',
    total_income_amount decimal(20,4) not null default '0.0000',
    primary key (id),
    unique key SALES_ORDER_AGGREGATED_CREATED_PERIOD_STORE_ID_ORDER_STATUS (period, store_id, order_status)
) engine=InnoDB default charset=utf8mb4 comment='Sales Order Aggregated Created';

create table customer_log (
    log_id int(11) not null auto_increment,
    customer_id int(11) not null,
    last_login_at timestamp null default null,
    last_logout_at timestamp null default null,
    primary key (log_id),
    unique key CUSTOMER_LOG_CUSTOMER_ID (customer_id)
) engine=InnoDB default charset=utf8mb4 comment='Customer Log Table';

create table session (
    session_id varchar(255) not null,
    session_expires int(10) unsigned not null default '0',
    session_data mediumblob not null,
    primary key (session_id)
) engine=InnoDB default charset=utf8mb4 comment='Database Sessions Storage';
