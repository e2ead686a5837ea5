"""Children of one authority: usage: children.py COUNT PLANS NUMBERS. A file of plans for `cpis publish`, and their NHS numbers, one a line."""
import datetime
import sys


def is_valid(number):
    return len(set(number)) > 1 and (11 - sum(int(d) * (10 - i) for i, d in enumerate(number[:9])) % 11) % 11 == int(number[9])


today = datetime.date.today()
start, birth = today - datetime.timedelta(90), today - datetime.timedelta(2000)
numbers = [text for text in map(str, range(9990002000, 9990012000)) if is_valid(text)][:int(sys.argv[1])]
with open(sys.argv[2], "w", encoding="ascii") as plans:
    plans.write("nhs_number,plan_type,start_date,end_date,delete_date,local_id,family_name,given_names,birth_date\n")
    for place, number in enumerate(numbers):
        plans.write(f"{number},CPP,{start},,,LCS-{place},EXAMPLE,ALEX,{birth}\n")
with open(sys.argv[3], "w", encoding="ascii") as file:
    file.write("\n".join(numbers) + "\n")
