-- round to tens of the page [r_ROUND's example; r_TRUNC's]
select round(28.05, -1) = 30, trunc(111.15, -1) = 110, round(99.5, -2) = 100, round(-25.0, -1) = -30;
--> true | true | true | true
-- round and trunc of integers to tens [r_ROUND: halves away from zero]
select round(1255, -1), trunc(-1259, -2), round(4, -1), round(5, -1), round(7, 2);
--: integer, integer, integer, integer, integer
--> 1260 | -1200 | 0 | 10 | 7
-- round of NULL [r_ROUND]
select round(total, -1) from orders where order_id = 4;
--> NULL
-- a decimal to fewer places [r_CAST_function's example]
select 109.652::decimal(4, 1), 162.00::integer;
--: decimal(4,1), integer
--> 109.7 | 162
-- a decimal that does not fit [r_numeric_computations201: an overflow]
select 728.00::decimal(8, 2)::decimal(4, 2);
--! 22003
-- an integer that does not fit [r_CAST_function's example]
select 12345678::smallint;
--! 22003
-- division by zero [r_numeric_computations201]
select qty / (qty - 7) from orders where order_id = 1;
--! 22012
-- the types of decimals with integers [r_numeric_computations201: 8-2+0 and 5; smallint is decimal(5,0)]
select 1.00::decimal(8, 2) * 2::smallint;
--: decimal(14,2)
--> 2.00
-- signs of quotients and remainders [r_MOD: the sign of the dividend]
select -7 / 2, 7 / -2, mod(-7, 3), mod(7, -3), -7 % 3;
--> -3 | -3 | -1 | 1 | -1
-- try_cast of the page's kinds [TRY_CAST]
select try_cast('123' as integer), try_cast('99999999999' as integer), try_cast('1.5' as decimal(3, 1)),
    try_cast('2024-02-30' as date), try_cast('2024-02-29' as date);
--: integer, integer, decimal(3,1), date, date
--> 123 | NULL | 1.5 | NULL | 2024-02-29
-- a random number is one in an expression [r_RANDOM]
select count(*) from (select random() as r from orders) as t where r < 0 or r >= 1;
--> 0
-- pi, degrees and sines [r_PI, r_DEGREES, r_SIN]
select round(pi(), 6), round(degrees(pi()), 6), round(sin(radians(90)), 6);
--> 3.141593 | 180.0 | 1.0
-- text that is no integer [r_CAST_function]
select '12a'::integer;
--! 22P02
-- nvl keeps the widest type [r_NVL_function, r_numeric_computations201: coalesce's rule]
select nvl(1.5::decimal(7, 2), 1.125::decimal(15, 3)), coalesce(1::smallint, 2::bigint);
--: decimal(15,3), bigint
--> 1.500 | 1
-- a power by its sign [r_OPERATOR_SYMBOLS' example: a float]
select 2::float8 ^ 3, power(2, 10), power(0, 0);
--: double, double, double
--> 8.0 | 1024.0 | 1.0
-- a tenth of a price [r_OPERATOR_SYMBOLS' example: 187.00 * .20 is 37.400]
select 187.00::decimal(8, 2) * .20 = 37.400;
--> true
-- the root of a negative number, and the logarithm of 0 [r_SQRT, r_LN: errors]
select sqrt(-1);
--! 22003
-- the smallest integer has no absolute value [r_ABS: an overflow]
select abs((-2147483648)::integer);
--! 22003
-- remainder by zero [r_MOD]
select mod(5, 0);
--! 22012
-- an integer beyond its type [r_numeric_computations201: an overflow]
select 2147483647 + 1;
--! 22003
-- whole numbers down, up and towards zero [r_FLOOR, r_CEILING_FLOOR, r_TRUNC]
select floor(-2.5) = -3, ceil(-2.5) = -2, trunc(-2.7) = -2, round(-2.5) = -3;
--> true | true | true | true
