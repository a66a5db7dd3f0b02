// Exact sums in SQLite, which has integers of 64 bits and no more: a number is its whole part and four times nine
// digits (b0 … b4, q0 … q4), each summed for itself; these pieces of SQL make one decimal of five sums.
#pragma once

// The whole number of the sums s0 … s4 with carries from below; B keeps what is divided positive, so that the division
// rounds down. The digits below are those of g times the sums, where g is the sign.
#define CVDD_CARRY(x) "((" x ")+4000000000000000000)/1000000000-4000000000"
#define CVDD_LIMB(x) "(((" x ")+4000000000000000000)%1000000000)"
#define CVDD_T4(v) "g" v "*" v "4"
#define CVDD_T3(v) "g" v "*" v "3+" CVDD_CARRY(CVDD_T4(v))
#define CVDD_T2(v) "g" v "*" v "2+" CVDD_CARRY(CVDD_T3(v))
#define CVDD_T1(v) "g" v "*" v "1+" CVDD_CARRY(CVDD_T2(v))
#define CVDD_T0(v) "g" v "*" v "0+" CVDD_CARRY(CVDD_T1(v))
#define CVDD_WHOLE(v) v "0+" CVDD_CARRY(v "1+" CVDD_CARRY(v "2+" CVDD_CARRY(v "3+" CVDD_CARRY(v "4"))))
#define CVDD_SIGN(v) "CASE WHEN " CVDD_WHOLE(v) "<0 THEN -1 ELSE 1 END AS g" v
#define CVDD_TEXT(v) \
  "CASE WHEN " v "1=0 AND " v "2=0 AND " v "3=0 AND " v "4=0 THEN CAST(" v "0 AS TEXT) "                           \
  "WHEN " v "3=0 AND " v "4=0 THEN CASE WHEN g" v "<0 THEN '-' ELSE '' END||rtrim(rtrim(printf('%d.%09d%09d',"     \
  CVDD_T0(v) "," CVDD_LIMB(CVDD_T1(v)) "," CVDD_LIMB(CVDD_T2(v)) "),'0'),'.') "                                    \
  "ELSE CASE WHEN g" v "<0 THEN '-' ELSE '' END||rtrim(rtrim(printf('%d.%09d%09d%09d%09d'," CVDD_T0(v) ","         \
  CVDD_LIMB(CVDD_T1(v)) "," CVDD_LIMB(CVDD_T2(v)) "," CVDD_LIMB(CVDD_T3(v)) "," CVDD_LIMB(CVDD_T4(v)) "),'0'),'.') END"
#define CVDD_SUM(column, v) "sum(" column ") OVER bars_so_far AS " v
