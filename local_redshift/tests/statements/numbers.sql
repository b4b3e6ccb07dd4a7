-- random is below 1 and not below 0 [r_RANDOM]
select random() < 1 and random() >= 0;
--> true
-- integers divide to an integer [r_numeric_computations201]
select 7 / 2;
--: integer
--> 3
-- a column of integers divides to an integer [r_numeric_computations201]
select qty / 2 from orders where order_id = 1;
--> 3
-- a decimal times a decimal [r_numeric_computations201]
select total * 1.2 from orders where order_id = 1;
--: decimal(15,3)
--> 12.600
-- a decimal over an integer [r_numeric_computations201: scale max(4, 2+10-0+1) = 13, precision 12-2+0+13 = 23]
select 10.50::decimal(12, 2) / 3;
--: decimal(23,13)
--> 3.5000000000000
-- round of a decimal's half [r_ROUND]
select round(2.5::decimal(5, 1)) = 3;
--> true
-- round of a float [r_ROUND; 2.345 as a float is above the half]
select round(2.345::float8, 2);
--: double
--> 2.35
-- trunc of a number [r_TRUNC]
select trunc(2.789, 2) = 2.78;
--> true
-- a float's half to an integer [unverified: r_CAST_function does not say how]
select 2.5::float8::integer;
--?
-- a decimal's half to an integer [r_CAST_function rounds 109.652 to 109.7]
select 2.5::decimal(3, 1)::integer;
--: integer
--> 3
-- mod and % [r_MOD]
select mod(7, 3) + 7 % 3;
--> 2
-- power [r_POWER]
select power(2, 3);
--: double
--> 8.0
-- ceil and floor [r_CEILING_FLOOR, r_FLOOR]
select ceil(1.2) + floor(1.8) = 3;
--> true
-- bits [r_OPERATOR_SYMBOLS]
select 5 & 3;
--> 1
-- a text to a boolean [r_Boolean_type]
select 't'::boolean;
--> true
-- try_cast of what is no number [TRY_CAST: of text that cannot be read, NULL]
select try_cast('x' as integer);
--: integer
--> NULL
-- width_bucket is not among Redshift's functions [Math_functions does not list it]
select width_bucket(5.0, 0, 10, 5);
--?
-- nvl [r_NVL_function]
select nvl(total, 0) from orders where order_id = 4;
--: decimal(12,2)
--> 0.00
-- nvl of three [r_NVL_function]
select nvl(null, null, 3);
--> 3
-- nvl2 [r_NVL2]
select nvl2(total, 'y', 'n') from orders where order_id = 4;
--> 'n'
-- decode [r_DECODE_expression]
select decode(status, 'paid', 1, 'new', 2, 0) from orders where order_id = 3;
--> 2
-- decode finds NULL [r_DECODE_expression]
select decode(country, null, 'none', 'other') from orders where order_id = 4;
--> 'none'
-- coalesce and nullif [r_NULLIF_function]
select coalesce(nullif('', ''), 'z');
--> 'z'
-- greatest leaves NULL out [r_GREATEST_LEAST]
select greatest(1, null, 3);
--> 3
-- least leaves NULL out [r_GREATEST_LEAST]
select least(1, null, 3);
--> 1
-- isnull is a name of nvl [documented: ISNULL is listed beside NVL and COALESCE]
select isnull(null, 2);
--> 2
-- numbers with an exponent where they are compared, cast, or beside a float [r_numeric_literals201]
select qty < 1e1, total >= 1.05E+1, qty between 7e0 and 2e1, 2.0e19::float8, 2E-1 + 1::float8, 1e3::integer
from orders where order_id = 1;
--: boolean, boolean, boolean, double, double, integer
--> true | true | true | 2e+19 | 1.2 | 1000
-- a number with an exponent as a column [unverified: a decimal or a float]
select 1e3;
--?
-- a number with an exponent beside a decimal [unverified: a decimal or a float]
select total * 1e-2 from orders;
--?
-- a number with an exponent and a fraction as a whole number [unverified: rounded as a decimal or a float]
select 25e-1::integer;
--?
-- decimals that need more than 38 digits together are compared [r_numeric_computations201: the numbers are what they are]
select a < b, a > b, a = c, a <> c, a <= c, a >= c, c between a and b from (
    select 1.5::decimal(38, 10) as a, 99999999999999999999999999999999999999::decimal(38, 0) as b,
        1.5::decimal(38, 30) as c
    union all select (0 - 1.5)::decimal(38, 10), (0 - 2)::decimal(38, 0), (0 - 1.4999)::decimal(38, 30)
);
--> true | false | true | false | true | true | true
--> false | true | false | true | true | false | false
-- a sum beyond 38 digits that needs no more [r_numeric_computations201: whether it keeps its places or not]
select (1.5::decimal(38, 10) + 1.25::decimal(38, 30)) = 2.75, 1.5::decimal(38, 10) - 2::decimal(38, 0) < 0;
--> true | true
-- a sum beyond 38 digits that needs them [unverified: overflow, or fewer places]
select 1.5::decimal(38, 10) + 99999999999999999999999999999999999999::decimal(38, 0);
--?
-- a sum beyond 38 digits whose last places may go [unverified]
select 1.5::decimal(38, 10) + 0.000000000000000000000000000001::decimal(38, 30);
--?
